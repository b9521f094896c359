"""A registry that takes as long as pages take and does nothing else: the ports `Registry` and `RegistrySession`.

Invariant: it notes when each session was open and when each document was worked on, on the machine's one monotonic clock, so that
two hosts with one account or one order at the same time cannot be overlooked.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from threading import Condition

from fpdf import FPDF

from registre.account import Credentials
from registre.document import DocumentRequest
from registre.errors import Aborted, BrowserFailed
from registre.idleness import IdleEnd
from registre.ports import FilledForm, Step, ViewerReached

FORM, VIEWER, DOCUMENT = 0.3, 0.5, 0.2
"""Shares of an order's time: the form, the viewer's loading, the document's."""


@dataclass(slots=True)
class Noted:
    """Stretches as (whose, begin, end), in seconds."""

    sessions: list[tuple[str, float, float]] = field(default_factory=list)
    orders: list[tuple[str, float, float]] = field(default_factory=list)
    billed: list[str] = field(default_factory=list)


class SimulatedSite:
    """Implements `registre.ports.Registry` for one host. `order_seconds` may change at any time: pages begun before end then."""

    def __init__(self, order_seconds: float) -> None:
        self.noted = Noted()
        self.open = 0
        self._order_seconds = order_seconds
        self._round = 0
        self._changed = Condition()

    @property
    def assumed_idle_limit(self) -> timedelta:
        return timedelta(minutes=20)

    def pace(self, order_seconds: float) -> None:
        with self._changed:
            self._order_seconds = order_seconds
            self._round += 1
            self._changed.notify_all()

    def open_session(self, credentials: Credentials, on_step: Callable[[Step], None]) -> SimulatedSession:
        with self._changed:
            self.open += 1
        return SimulatedSession(self, credentials.username, on_step)

    def close(self) -> None:
        self.pace(0)

    def load(self, session: SimulatedSession, share: float) -> None:
        """A page that takes its share of an order's time, give or take."""
        with self._changed:
            began, seconds = self._round, self._order_seconds * share * random.uniform(0.2, 1.8)
            self._changed.wait_for(lambda: self._round != began or session.is_stopped, seconds)
            if session.is_stopped:
                raise BrowserFailed("The session is closed.") if session.is_closed else Aborted("Interrupted.")

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def ended(self, session: SimulatedSession) -> None:
        with self._changed:
            self.open -= 1
            self.noted.sessions.append((session.account, session.opened_at, time.monotonic()))

    def worked(self, number: str, began: float) -> None:
        with self._changed:
            self.noted.orders.append((number, began, time.monotonic()))


class SimulatedSession:
    """Implements `registre.ports.RegistrySession`."""

    def __init__(self, site: SimulatedSite, account: str, on_step: Callable[[Step], None]) -> None:
        self.account = account
        self.opened_at = time.monotonic()
        self.is_interrupted = self.is_closed = False
        self._site = site
        self._on_step = on_step
        self._answered_at = self.opened_at
        self._began: tuple[str, float] | None = None

    @property
    def is_stopped(self) -> bool:
        return self.is_interrupted or self.is_closed

    @property
    def idle_seconds(self) -> float:
        return time.monotonic() - self._answered_at

    def idle_end(self) -> IdleEnd | None:
        return None

    def sign_in(self) -> None:
        self._on_step(Step.SIGNING_IN)
        self._answered_at = time.monotonic()

    def fill(self, request: DocumentRequest) -> FilledForm:
        self._began = (request.number_normalized, time.monotonic())
        self._page(Step.FORM, FORM)
        return FilledForm(request.number_normalized, None, None, None, None)

    def submit(self, request: DocumentRequest) -> ViewerReached:
        self._site.noted.billed.append(request.number_normalized)
        self._page(Step.WAITING_VIEWER, VIEWER)
        return ViewerReached()

    def save(self, target: Path) -> None:
        self._page(Step.SAVING, DOCUMENT)
        target.write_bytes(document())
        self._work_ended()

    def _page(self, step: Step, share: float) -> None:
        self._on_step(step)
        try:
            self._site.load(self, share)
        except (Aborted, BrowserFailed):
            self._work_ended()
            raise
        self._answered_at = time.monotonic()

    def _work_ended(self) -> None:
        if self._began is not None:
            self._site.worked(*self._began)
            self._began = None

    def keep_alive(self) -> None:
        self._answered_at = time.monotonic()

    def sign_out(self) -> bool:
        return not self.is_stopped

    def collect_evidence(self, folder: Path, label: str, error: Exception) -> Path | None:
        del folder, label, error
        return None

    def interrupt(self) -> None:
        self.is_interrupted = True
        self._site.wake()

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self._site.ended(self)
            self._site.wake()


@cache
def document() -> bytes:
    """A small whole PDF that names no number, hence contradicts no order."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", "", 12)
    pdf.cell(0, 10, "Registre foncier du Quebec: document simule, page 1 de 1")
    return bytes(pdf.output())
