"""A host under supervisord, with every one of its programs killed once: `python -m benchmarks.supervisord.run`."""
