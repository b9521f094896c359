"""What this process logs about orders, until it is kept where people read it.

Invariant: a line holds no password of an account this host signs in with, in whatever form it was written; whatever becomes of
the database, no more than `MOST_LINES` wait here.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime

from registre.job import JobId, LogLine
from registre.log import job_in_hand, mask
from registre.redaction import redact

MOST_LINES = 2000
MOST_CHARACTERS = 500
_NAMED = re.compile(r"\bjob ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")


class JobLines(logging.Handler):
    """Any thread logs and hides; one takes. A line is about the order it names, else about the one its thread works for."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self._host = host
        self._secrets: frozenset[str] = frozenset()
        self._lines: deque[LogLine] = deque(maxlen=MOST_LINES)

    def hide(self, secret: str) -> None:
        """From now on it is in no line."""
        self._secrets |= {secret}

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            named = _NAMED.search(text)
            job_id = named[1] if named else job_in_hand()
            if job_id is None:
                return
            if record.exc_info and record.exc_info[1] is not None:
                error = record.exc_info[1]
                text = f"{text} ({type(error).__name__}: {error})"
            text = mask(redact(text, self._secrets))[:MOST_CHARACTERS]
            at = datetime.fromtimestamp(record.created, UTC)
            self._lines.append(LogLine(JobId(job_id), at, self._host, record.levelname, text))
        except Exception:
            self.handleError(record)

    def take(self) -> list[LogLine]:
        """Everything that waits, oldest first."""
        taken = []
        while self._lines:
            taken.append(self._lines.popleft())
        return taken

    def give_back(self, lines: Sequence[LogLine]) -> None:
        """They could not be kept: the newest of them wait again, as far as there is room."""
        room = MOST_LINES - len(self._lines)
        self._lines.extendleft(reversed(lines[-room:] if room else ()))
