"""How long a session may idle on the site: what its end shows, what is learnt from it, and what to do before it comes.

Invariant: nothing here waits, asks or acts; the database learns (sql/06_sessions.sql), a browser acts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

NEAR = 0.8
"""The share of the limit after which a session is kept alive or signed out."""

TELLS_AFTER_SECONDS = 60.0
"""Less shows nothing: no limit is that short, so what died sooner died of something else; and a busy session would tell of every
order."""


@dataclass(frozen=True, slots=True)
class IdleEnd:
    """A session's first page after so many idle seconds answered: with the page asked for, or with the login page."""

    seconds: float
    survived: bool

    @property
    def tells(self) -> bool:
        """Whether it is worth a line in the database."""
        return self.seconds >= TELLS_AFTER_SECONDS


@dataclass(frozen=True, slots=True)
class LearntLimit:
    """What all hosts have seen; `limit` None: nothing yet that contradicts the site's profile."""

    limit: timedelta | None
    learnt_at: datetime | None
    survived: timedelta


class Care(Enum):
    """What an idle session needs."""

    NOTHING = auto()
    KEEP_ALIVE = auto()
    SIGN_OUT = auto()


def care(idle_seconds: float, limit: timedelta, *, work_due: bool) -> Care:
    """Near the limit a session is kept while work is due, and else left properly: never is one left to die."""
    if idle_seconds < NEAR * limit.total_seconds():
        return Care.NOTHING
    return Care.KEEP_ALIVE if work_due else Care.SIGN_OUT
