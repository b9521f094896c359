"""One running twin: its registry, sessions, bill, faults and counts, and the moves that touch several of them.

Invariant: only `show` bills, once for each request id.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import asdict
from datetime import timedelta

from registre.twin.config import TwinConfig
from registre.twin.documents import Document
from registre.twin.faults import FaultBox
from registre.twin.ledger import BillingLedger
from registre.twin.pages import Pages
from registre.twin.pdf import render_pdf
from registre.twin.registry import Registry
from registre.twin.sessions import Demand, Session, SessionBook
from registre.twin.traffic import Traffic


class Twin:
    """Owned by one event loop; `faults`, `ledger` and `report` may be used from other threads."""

    def __init__(self, config: TwinConfig) -> None:
        self.config = config
        self.registry = Registry(config.seed)
        self.pages = Pages(self.registry.catalogue, config.encoding)
        self.sessions = SessionBook(config.idle_seconds, config.clock)
        self.ledger = BillingLedger(config.fee_cents, config.clock, config.ledger_path)
        self.faults = FaultBox()
        self.traffic = Traffic()
        self.closing = asyncio.Event()

    def sign_in(self, account: str, password: str) -> Session | None:
        """A new session, or None when the login is refused."""
        expected = self.config.accounts.get(account)
        right = expected is not None and secrets.compare_digest(expected.encode(), password.encode())
        if not right or self.faults.take("refuse_login", account):
            self.traffic.logins_refused[account] += 1
            return None
        self.traffic.logins[account] += 1
        return self.sessions.open(account)

    def session(self, token: str | None) -> Session | None:
        """The session of a protected request, or None: the request then ends on the login page."""
        session = self.sessions.find(token)
        if session and self.faults.take("expire_session", session.account):
            self.sessions.close(session)
            session = None
        if session is None:
            self.traffic.expired += 1
        return session

    def seconds_left(self, demand: Demand, document: Document) -> float:
        """How long the loading page still lasts; its clock starts with the first call. 0: go to the viewer."""
        if demand.ready_at is None:
            ordered = self.faults.number("loading_seconds")
            own = document.loading_seconds
            delay = ordered if ordered is not None else own if own is not None else self.config.loading_seconds
            demand.ready_at = self.config.clock() + timedelta(seconds=delay)
        return max(0.0, (demand.ready_at - self.config.clock()).total_seconds())

    def show(self, session: Session, demand: Demand, document: Document) -> None:
        """The viewer is reached: bill it, unless this request was billed before."""
        if demand.line is not None:
            self.traffic.refetches += 1
            return
        demand.line = self.ledger.bill(session.account, document, demand.id)

    def file(self, account: str, document: Document) -> bytes:
        """The bytes of a download, as the faults leave them."""
        self.traffic.downloads += 1
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
            "sessions": [{"account": a, "idle_seconds": idle} for a, idle in self.sessions.live()],
            "expired": traffic.expired,
            "refetches": traffic.refetches,
            "downloads": traffic.downloads,
        }

    def bill(self) -> list[dict[str, object]]:
        """The answer of `GET /_twin/ledger`."""
        return [asdict(line) for line in self.ledger.lines()]
