"""The names of buckets and objects: those that every kind of bucket takes, and no path leads out of."""

from __future__ import annotations

import re

from registre.errors import Refused

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}")


def check_names(bucket: str, key: str) -> None:
    """Refused for what is no name."""
    for name in (bucket, key):
        if not _NAME.fullmatch(name):
            raise Refused(f"'{name}' is not the name of a bucket or an object.")
