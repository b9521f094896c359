"""How long people wait for a page of a listing, and for the counts, at a million rows."""
