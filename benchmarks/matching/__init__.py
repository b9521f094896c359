"""Matching measured on a labelled set. `labelled.jsonl` holds the pairs, `options.json` the lists they choose from."""
