"""What an operator may ask for, from the command line or over HTTP: the words checked, and the same done to many jobs.

Invariant: nothing is done to many jobs unless they are as many as the operator saw; a word that is none is an InvalidInput
naming its field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum

from registre.access import Role, make_key
from registre.budget import BUDGETS, Period
from registre.document import Source
from registre.errors import InvalidInput, Miscounted, NotFound, Refused
from registre.gates import PAUSE_SCOPES, Scope, ServiceHours
from registre.job import JobFilter, JobId
from registre.plain import harmless, plain_text
from registre.ports import JobQueue, KeyRing, Views

MOST = 10_000
"""Jobs that one bulk action may concern."""

RULES = {
    "pace_seconds": "seconds between two orders of one account, about",
    "last_start_seconds": "nothing is started later than this before closing",
    "attempt_seconds": "how long one attempt may take",
    "fresh_index_hours": "how long an index counts as current and is not bought again",
    "fresh_plan_hours": "the same for a plan; an acte never changes",
    "approval_above_cents": "price of a batch above which a person must approve it (none: never)",
    "rebuys_per_day": "ambiguous purchases bought again without asking, each day",
    "breaker_failures": "failures of the site in a row that stop every order",
    "notice_days": "how long what a webhook was told is kept, once it is over",
    "history_days": "how long the events, attempts and log of an order are kept, once it has ended (none: for ever; 31 at least)",
    "alert_backlog_minutes": "an alert opens when orders wait so long and nobody works",
    "alert_failures": "the same for so many failures in a quarter of an hour, if they are half of all",
    "alert_budget_percent": "the same when so much of a budget is used",
    "alert_spool_minutes": "the same when a bought document stays on its host so long",
    "alert_spool_documents": "the same when so many stay there",
}

MOST_OPENINGS = 50

_USERNAME = re.compile(r"[0-9]{2}[A-Za-z][0-9]{4}")
_HOUR = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?")
_PREFIX = re.compile(r"[0-9a-f]{8}")


def pause_target(scope: str, name: str) -> Scope:
    """What a pause is about; InvalidInput when there is no such thing."""
    if scope not in PAUSE_SCOPES:
        raise InvalidInput("scope", f"'{scope[:40]}' is unknown; one of {', '.join(PAUSE_SCOPES)} is expected.")
    kind = Scope(scope)
    if kind is Scope.SITE and name:
        raise InvalidInput("name", "the site has no name; leave it out.")
    if kind in (Scope.ACCOUNT, Scope.SOURCE) and not name:
        raise InvalidInput("name", f"say which {kind}.")
    if kind is Scope.SOURCE and name not in set(Source):
        raise InvalidInput("name", f"'{name[:40]}' is no source; one of {', '.join(Source)} is expected.")
    plain_text(name, "name", 100)
    return kind


def pause_reason(text: str) -> str:
    if not text.strip():
        raise InvalidInput("reason", "say why: whoever waits will read it.")
    return plain_text(text, "reason")


def budget_target(scope: str, name: str, period: str, period_field: str = "for") -> tuple[Scope, Period]:
    """Which budget is meant; InvalidInput when there is no such budget."""
    if scope not in BUDGETS:
        raise InvalidInput("scope", f"'{scope[:40]}' is unknown; one of {', '.join(BUDGETS)} is expected.")
    kind = Scope(scope)
    if (kind is Scope.SITE) != (name == ""):
        raise InvalidInput("name", "the site has no name; everything else has one, or * for each.")
    plain_text(name, "name", 100)
    if kind is Scope.BATCH:
        return kind, Period.TOTAL
    if period not in BUDGETS[kind]:
        raise InvalidInput(period_field, f"'{period[:40]}' is unknown; one of {', '.join(BUDGETS[kind])} is expected.")
    return kind, Period(period)


def rule_name(text: str) -> str:
    if text not in RULES:
        raise InvalidInput("rule", f"'{text[:40]}' is unknown; one of {', '.join(RULES)} is expected.")
    return text


def source_name(text: str) -> Source:
    if text not in set(Source):
        raise InvalidInput("source", f"'{text[:40]}' is unknown; one of {', '.join(Source)} is expected.")
    return Source(text)


def hour_of(text: str, field: str) -> time:
    """`'08:00'` or `'08:00:00'`; 24:00 and 00:00 are one instant, which ends a day where something closes then."""
    if text != "24:00" and not _HOUR.fullmatch(text):
        raise InvalidInput(field, f"'{text[:20]}' is not an hour, such as 08:00.")
    return time(0) if text == "24:00" else time.fromisoformat(text)


def openings_of(hours: Sequence[ServiceHours]) -> list[ServiceHours]:
    """The same, or InvalidInput for what is no week of openings. None at all: always open."""
    if len(hours) > MOST_OPENINGS:
        raise InvalidInput("hours", f"{len(hours)} openings a week are too many; at most {MOST_OPENINGS} are accepted.")
    for opening in hours:
        if not 1 <= opening.weekday <= 7:
            raise InvalidInput("weekday", f"{opening.weekday} is no day of the week; 1 is Monday, 7 is Sunday.")
        if opening.opens >= opening.closes != time(0):
            raise InvalidInput("closes", f"{opening.closes:%H:%M} is not after {opening.opens:%H:%M}, when it opens.")
    if len({(opening.weekday, opening.opens) for opening in hours}) < len(hours):
        raise InvalidInput("hours", "two openings of one day begin at one hour.")
    return list(hours)


def day_of(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field, f"'{text[:30]}' is not a day, such as 2026-04-01.") from None


def holiday_name(text: str) -> str:
    if not text.strip():
        raise InvalidInput("name", "say what is celebrated; it tells people why orders wait.")
    return plain_text(text, "name", 100)


def role_name(text: str) -> Role:
    if text not in set(Role):
        raise InvalidInput("role", f"'{text[:40]}' is unknown; one of {', '.join(Role)} is expected.")
    return Role(text)


def key_name(text: str) -> str:
    """Whose a key is: kept as the author of what is done with it."""
    if not text.strip():
        raise InvalidInput("name", "say whose key it is.")
    return plain_text(text, "name", 100)


def key_prefix(text: str, where: str) -> str:
    """`where` says what shows them."""
    if not _PREFIX.fullmatch(text):
        raise InvalidInput("prefix", f"'{text[:20]}' is none; {where} shows them.")
    return text


def user_code(text: str) -> str:
    """A registry account's name as the registry writes it."""
    if not _USERNAME.fullmatch(text):
        raise InvalidInput(
            "username", f"'{text[:20]}' is not a user code (two digits, a letter, four digits, such as 99X9999)."
        )
    return text.upper()


def usable_password(text: str, where: str) -> str:
    """`where` says how one is given."""
    if not text:
        raise InvalidInput("password", f"none was given; {where}.")
    if len(text) > 200 or harmless(text) != text:
        raise InvalidInput("password", "it is too long, or holds control characters or broken text.")
    return text


class BulkAction(StrEnum):
    """What may be done to many jobs at once."""

    RETRY = "retry"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What became of each: done, or refused with a sentence."""

    done: tuple[JobId, ...]
    refused: tuple[tuple[JobId, str], ...]


class Bulk:
    """Does one thing to many jobs. Each is done by itself: what one refuses does not undo another.

    The choice is read once, counted, and acted on as it was read: a job that joins it later is not touched, and one that has
    moved on is judged again, under its lock, by the function that moves it. One transaction over all would hold the locks of
    thousands of rows while the workers wait for them.
    """

    def __init__(self, queue: JobQueue, views: Views) -> None:
        self._queue = queue
        self._views = views

    def choose(self, chosen: Sequence[JobId] | JobFilter) -> list[JobId]:
        """The jobs meant, each once; those of a listing as they are at one instant."""
        found = self._views.ids(chosen, MOST + 1) if isinstance(chosen, JobFilter) else list(dict.fromkeys(chosen))
        if len(found) > MOST:
            raise Refused(f"More than {MOST} jobs are meant; narrow the choice.")
        return found

    def run(self, action: BulkAction, chosen: Sequence[JobId] | JobFilter, expected: int, author: str) -> BulkOutcome:
        """Miscounted, and nothing done, when the choice does not hold `expected` jobs."""
        jobs = self.choose(chosen)
        if len(jobs) != expected:
            raise Miscounted(f"{expected} jobs were expected, and the choice now holds {len(jobs)}; nothing was done.")
        act: Callable[[JobId], object] = (
            (lambda job_id: self._queue.requeue(job_id, author))
            if action is BulkAction.RETRY
            else (lambda job_id: self._queue.cancel(job_id, author))
        )
        done: list[JobId] = []
        refused: list[tuple[JobId, str]] = []
        for job_id in jobs:
            try:
                act(job_id)
            except (Refused, NotFound) as error:
                refused.append((job_id, error.message))
            else:
                done.append(job_id)
        return BulkOutcome(tuple(done), tuple(refused))


def first_key(keys: KeyRing) -> str | None:
    """The text of an admin's key for a database that never had a key; None for any other."""
    key = make_key()
    return key.text if keys.add(key, "first key", Role.ADMIN, "the first start", only_first=True) else None
