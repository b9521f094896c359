"""Logs: one line to stderr, for people; never a secret.

Invariant: what looks like a password or a key in an address is masked before any handler sees the text.
"""

from __future__ import annotations

import logging
import re

_SECRETS = re.compile(
    # an address's password reaches to the last @: it may hold one itself
    r"(?P<address>://[^:/@\s]*:)\S+@"
    r"|(?P<name>(?:password|passwd|motpasse|mot de passe|secret|token|key)[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|\S+)"
    r"|(?P<bearer>\bBearer\s+)\S+",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """`text` with passwords in addresses, and values after `password=` and the like, replaced by ***."""
    return _SECRETS.sub(lambda m: f"{m['address']}***@" if m["address"] else f"{m['name'] or m['bearer']}***", text)


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
