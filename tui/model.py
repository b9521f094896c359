"""What the dashboard knows: the last overview, what came since, and how the connection stands.

Invariant: nothing here draws or asks. Whatever comes raises `version`, however often; views look at it on the application's tick,
so that repaints are bounded by the tick and not by what comes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from registre.access import Role
from tui.wire import Account, Alert, Caller, Extraction, Fact, Failing, Host, Hours, Overview, Pulse

KEPT_EVENTS = 2000


class Link(StrEnum):
    """How the connection stands."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"
    REPLAY = "replay"


@dataclass(slots=True)
class Model:
    """Written by the feed, read by views, in one loop."""

    caller: Caller = field(default_factory=lambda: Caller("", Role.VIEWER))
    link: Link = Link.CONNECTING
    trouble: str = ""
    again_at: datetime | None = None
    overview: Overview | None = None
    running: dict[str, Extraction] = field(default_factory=dict)
    last_errors: dict[str, Extraction] = field(default_factory=dict)
    """By worker, the newest order that failed with it."""
    pulse: Pulse | None = None
    hosts: tuple[Host, ...] = ()
    failing: tuple[Failing, ...] = ()
    alerts: tuple[Alert, ...] = ()
    hours: Hours = field(default_factory=lambda: Hours((), ()))
    events: deque[Fact] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    cursor: str | None = None
    version: int = 0
    heard: int = 0
    """Events ever; a view that shows what events change asks again when this rose."""
    steps: dict[str, str] = field(default_factory=dict)

    def seen(self, overview: Overview, running: tuple[Extraction, ...], failed: tuple[Extraction, ...]) -> None:
        self.overview = overview
        self.running = {job.extraction_id: job for job in running}
        errors: dict[str, Extraction] = {}
        for job in failed:
            if job.worker_id:
                errors.setdefault(job.worker_id, job)
        self.last_errors = errors
        self.steps = {job_id: step for job_id, step in self.steps.items() if job_id in self.running}
        self.version += 1

    def told(self, cursor: str, fact: Fact | None) -> None:
        """One message of the stream."""
        self.cursor = cursor or self.cursor
        if fact is None:
            return
        self.events.append(fact)
        self.heard += 1
        if fact.kind == "job.step" and fact.extraction_id:
            self.steps[fact.extraction_id] = str(fact.data.get("step", ""))
        self.version += 1

    def connected(self) -> None:
        if self.link is not Link.LIVE:
            self.link, self.trouble, self.again_at = Link.LIVE, "", None
            self.version += 1

    def lost(self, trouble: str, again_at: datetime) -> None:
        self.link, self.trouble, self.again_at = Link.LOST, trouble, again_at
        self.version += 1

    def order_of(self, account: Account) -> Extraction | None:
        return self.running.get(account.current_job_id or "")

    def step_of(self, account: Account) -> str:
        """The newest that is known of it."""
        job_id = account.current_job_id or ""
        return self.steps.get(job_id) or account.step or ""
