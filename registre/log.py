"""Logs: one line to stderr, for people; never a secret.

Invariant: what looks like a password or a key in an address is masked before any handler sees the text.
"""

from __future__ import annotations

import logging
import re

_SECRETS = re.compile(r"(://[^:/@\s]+:)[^@\s]+(@)|((?:password|motpasse|secret|token|key)\s*[=:]\s*)\S+", re.IGNORECASE)


def mask(text: str) -> str:
    """`text` with passwords in addresses, and values after `password=` and the like, replaced by ***."""
    return _SECRETS.sub(lambda m: f"{m[1]}***{m[2]}" if m[1] else f"{m[3]}***", text)


class _Masked(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


def configure(level: str) -> None:
    """Send the logs of this process to stderr, once. Libraries speak only from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Masked("%(asctime)s %(levelname).1s %(name)s: %(message)s", datefmt="%H:%M:%S"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    for name in ("registre", "actors"):
        logging.getLogger(name).setLevel(level)
