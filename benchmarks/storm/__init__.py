"""Hundreds of mixed orders on the twin while it shows every bad manner it knows."""
