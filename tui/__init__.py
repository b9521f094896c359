"""The terminal dashboard (Textual): the fleet, the queue and the money, over the HTTP API alone."""
