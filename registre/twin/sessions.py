"""Who is signed in, and what each session has asked for.

Invariant: an account has at most one live session; a session idle for longer than the limit is dead.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from registre.document import Source
from registre.twin.documents import Answer, Document
from registre.twin.ledger import LedgerLine

MAX_DEMANDS = 200
"""Requests a session remembers; the oldest are forgotten first."""


@dataclass(slots=True)
class Demand:
    """One request of a document, from the submitted form to its viewer; `id` is its one-time request id.

    `document` is set once it is certain which one is meant, `ready_at` once the loading page was asked for, `line`
    once billed.
    """

    id: str
    source: Source
    answer: Answer
    document: Document | None = None
    confirmed: bool = False
    ready_at: datetime | None = None
    line: LedgerLine | None = None


@dataclass(slots=True)
class Session:
    """One signed-in account. `choices` are the last fields of each form, which "Modifier la recherche" brings back.

    While `notice` is true every page is the notice.
    """

    token: str
    account: str
    seen_at: datetime
    notice: bool = False
    demands: dict[str, Demand] = field(default_factory=dict)
    choices: dict[Source, Mapping[str, str]] = field(default_factory=dict)

    def ask(self, source: Source, answer: Answer) -> Demand:
        demand = Demand(secrets.token_hex(8), source, answer)
        self.demands[demand.id] = demand
        while len(self.demands) > MAX_DEMANDS:
            del self.demands[next(iter(self.demands))]
        return demand


class SessionBook:
    """All sessions by account."""

    def __init__(self, idle_seconds: float, clock: Callable[[], datetime]) -> None:
        self._idle = timedelta(seconds=idle_seconds)
        self._clock = clock
        self._by_account: dict[str, Session] = {}

    def open(self, account: str) -> Session:
        """Sign `account` in; its earlier session is dead from now on."""
        session = Session(secrets.token_hex(16), account, self._clock())
        self._by_account[account] = session
        return session

    def find(self, token: str | None) -> Session | None:
        """The live session of this cookie, its idle clock started anew; None when there is none."""
        session = next((s for s in self._by_account.values() if s.token == token), None)
        if session is None:
            return None
        if self._is_idle(session):
            self.close(session)
            return None
        session.seen_at = self._clock()
        return session

    def account_of(self, token: str | None) -> str | None:
        """Whose cookie this is, if anyone's still; starts no idle clock anew."""
        return next((s.account for s in self._by_account.values() if s.token == token), None)

    def close(self, session: Session) -> None:
        if self._by_account.get(session.account) is session:
            del self._by_account[session.account]

    def live(self) -> list[tuple[str, float]]:
        """Each live session's account and its idle seconds; does not start any idle clock anew."""
        now = self._clock()
        sessions = list(self._by_account.values())
        return [(s.account, (now - s.seen_at).total_seconds()) for s in sessions if not self._is_idle(s)]

    def _is_idle(self, session: Session) -> bool:
        return self._clock() - session.seen_at > self._idle
