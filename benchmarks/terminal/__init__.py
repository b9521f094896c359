"""How fast the terminal dashboard is in front of a million orders."""
