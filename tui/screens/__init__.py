"""The views, and the boxes that open over them."""
