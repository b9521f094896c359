"""How long callers of the API wait at a million rows, and how soon the readers of its stream hear."""
