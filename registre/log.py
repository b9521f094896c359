"""Logs: one line to stderr, for people; never a secret.

Invariant: what looks like a password or a key in an address is masked before any handler sees the text.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SECRETS = re.compile(
    # an address's password reaches to the last @: it may hold one itself
    r"(?P<address>://[^:/@\s]*:)\S+@"
    r"|(?P<name>(?:password|passwd|motpasse|mot de passe|secret|token|key)[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|\S+)"
    r"|(?P<bearer>\bBearer\s+)\S+",
    re.IGNORECASE,
)


_job: ContextVar[str | None] = ContextVar("job", default=None)


@contextmanager
def about(job_id: str | None) -> Iterator[None]:
    """What is logged meanwhile is about this order: by this thread, and by the coroutines it starts."""
    token = _job.set(job_id)
    try:
        yield
    finally:
        _job.reset(token)


def job_in_hand() -> str | None:
    """The order that is worked on where this is asked."""
    return _job.get()


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
