"""Buckets: where delivered documents live."""
