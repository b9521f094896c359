"""One running twin: its registry, sessions, bill, faults and counts, and the moves that touch several of them.

Invariant: only `show` bills: one line each time a viewer is made, whoever asked for it and how often before.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter
from dataclasses import asdict, replace
from datetime import timedelta

from registre.twin.config import TwinConfig
from registre.twin.documents import Document
from registre.twin.fault_box import FaultBox
from registre.twin.ledger import BillingLedger
from registre.twin.pages import Pages
from registre.twin.pdf import render_pdf
from registre.twin.places import Place
from registre.twin.registry import Registry
from registre.twin.sentences import ACCOUNT_LOCKED, LOGIN_REFUSED
from registre.twin.sessions import Demand, Session, SessionBook
from registre.twin.traffic import Traffic


class Twin:
    """Owned by one event loop; `faults`, `ledger` and `report` may be used from other threads."""

    def __init__(self, config: TwinConfig) -> None:
        self.config = config
        self.registry = Registry(config.seed)
        self.faults = FaultBox()
        self.faults.update(config.faults)
        self.pages = Pages(self.registry.catalogue, self.faults, config.encoding)
        self.sessions = SessionBook(config.idle_seconds, config.clock)
        self.ledger = BillingLedger(config.fee_cents, config.clock, config.ledger_path)
        self.traffic = Traffic()
        self.closing = asyncio.Event()
        self._refusals: Counter[str] = Counter()

    def sign_in(self, account: str, password: str) -> Session | str:
        """A new session, or the sentence that refuses the login."""
        expected = self.config.accounts.get(account)
        right = expected is not None and secrets.compare_digest(expected.encode(), password.encode())
        if self._is_locked(account) or not right or self.faults.take("refuse_login", account):
            self.traffic.logins_refused[account] += 1
            self._refusals[account] += 1
            return ACCOUNT_LOCKED if self._is_locked(account) else LOGIN_REFUSED
        del self._refusals[account]
        self.traffic.logins[account] += 1
        session = self.sessions.open(account)
        session.notice = self.faults.take("notice", account)
        return session

    def sign_out(self, session: Session) -> None:
        """The session is over, at its own wish."""
        self.sessions.close(session)
        self.traffic.sign_outs[session.account] += 1

    def _is_locked(self, account: str) -> bool:
        limit = self.faults.number("lock_after", account)
        return limit is not None and self._refusals[account] >= limit

    def session(self, token: str | None, place: Place) -> Session | None:
        """The session of a protected request, or None: the request then ends on the login page."""
        session = self.sessions.find(token)
        if session and self.faults.take("expire_session", session.account, place):
            self.sessions.close(session)
            session = None
        if session is None:
            self.traffic.expired += 1
        return session

    def seconds_left(self, session: Session, demand: Demand, document: Document) -> float:
        """How long the loading page still lasts; its clock starts with the first call. 0: go to the viewer."""
        if demand.ready_at is None:
            ordered = self.faults.number("loading_seconds", session.account)
            own = document.loading_seconds
            delay = ordered if ordered is not None else own if own is not None else self.config.loading_seconds
            demand.ready_at = self.config.clock() + timedelta(seconds=delay)
        return max(0.0, (demand.ready_at - self.config.clock()).total_seconds())

    def show(self, session: Session, demand: Demand, document: Document) -> None:
        """The viewer is made: bill it, and once more if this request was billed before."""
        if demand.line is not None:
            self.traffic.refetches += 1
        demand.line = self.ledger.bill(session.account, document, demand.id)

    def file(self, account: str, document: Document) -> bytes:
        """The bytes of a download, as the faults leave them."""
        self.traffic.downloads += 1
        if self.faults.take("html_file", account):
            return self.pages.text("login.html", error="").encode(self.pages.encoding, "xmlcharrefreplace")
        if self.faults.take("other_document", account):
            document = replace(document, number=_other_number(document.number))
        data = render_pdf(document, self.config.seed)
        return data[: len(data) // 2] if self.faults.take("truncate_pdf", account) else data

    async def pause(self, seconds: float | None) -> None:
        """Wait, or for ever when None; ends at once when the twin closes."""
        try:
            await asyncio.wait_for(self.closing.wait(), seconds)
        except TimeoutError:
            return

    def report(self) -> dict[str, object]:
        """The answer of `GET /_twin/requests`."""
        traffic = self.traffic
        return {
            "paths": dict(traffic.paths),
            "logins": dict(traffic.logins),
            "logins_refused": dict(traffic.logins_refused),
            "sign_outs": dict(traffic.sign_outs),
            "sessions": [{"account": a, "idle_seconds": idle} for a, idle in self.sessions.live()],
            "expired": traffic.expired,
            "refetches": traffic.refetches,
            "downloads": traffic.downloads,
        }

    def bill(self) -> list[dict[str, object]]:
        """The answer of `GET /_twin/ledger`."""
        return [asdict(line) for line in self.ledger.lines()]


def _other_number(number: str) -> str:
    """A neighbour: the last digit is another, so that it stays a number of its kind."""
    digit = re.compile(r"[0-9](?=[^0-9]*$)")
    return digit.sub(lambda found: str((int(found[0]) + 1) % 10), number)
