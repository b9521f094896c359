"""The site's own sentences: what was heard with an error, and how often each was.

Invariant: a sentence is kept as the site first said it; its key has neither case, accents nor numbers, and the database
computes the same one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from registre.document import fold
from registre.errors import DataError, ErrorKind, SiteError
from registre.job import JobId

MOST_SENTENCES = 1000
MAX_SENTENCE = 500

_NUMBERS = re.compile(r"[a-z]*[0-9][a-z0-9]*(?: [a-z]*[0-9][a-z0-9]*)*")


@dataclass(frozen=True, slots=True)
class Heard:
    """Words of the site. `source` is '' when they were said of no order: at a sign-in, or of the whole site."""

    text: str
    source: str
    kind: ErrorKind
    needs_review: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the site, as people see it; `text` is as it was first heard, `kind` as it was last classed."""

    text: str
    source: str
    kind: str
    needs_review: bool
    count: int
    first_seen: datetime
    last_seen: datetime
    last_job: JobId | None


def heard(error: Exception, source: str) -> Heard | None:
    """What the site said with this error; None when it said nothing."""
    if not isinstance(error, SiteError) or not error.said.strip():
        return None
    about = source if isinstance(error, DataError) else ""
    return Heard(error.said.strip()[:MAX_SENTENCE], about, error.kind, getattr(error, "needs_review", False))


def key_of(text: str) -> str:
    """`'Le lot 2 784 195 est inactif.'` → `'le lot # est inactif'`."""
    return _NUMBERS.sub("#", fold(text))
