"""One host at work for hours: what it holds must not grow."""
