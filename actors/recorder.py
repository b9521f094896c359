"""Keeps the flight recorder: what the supervisor saw of its browsers, and beside it what the database says of the queue. And puts
what was logged about orders where people read it.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pykka

from actors.job_lines import JobLines
from actors.messages import BrowserStatus, Standing
from registre.errors import DatabaseUnavailable, RegistreError
from registre.job import JobId, Status
from registre.ports import Gates, LogBook, Views
from registre.recording import BrowserMoment, FlightRecorder, Moment

log = logging.getLogger(__name__)

TELL_EVERY_SECONDS = 30.0
ASK_WHY_EVERY = timedelta(seconds=10)
"""Its answer looks at every account of the fleet: asked by every host at each moment, it would grow with the square."""


class Recorder(pykka.ThreadingActor):
    """Owns: the file of the flight recorder, and the lines about orders that are not kept yet.
    Receives: Standing from the supervisor, every few seconds.
    Tells: nobody; the database, each half minute, how this machine stands.
    Dies when: the fleet stops it, after the supervisor.
    """

    use_daemon_thread = True

    def __init__(
        self,
        flight: FlightRecorder,
        views: Views,
        gates: Gates,
        host: str,
        version: str,
        job_lines: JobLines,
        log_book: LogBook,
        tell: Callable[[int], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`tell` is given the number of sessions from time to time, to say of this machine what the database does not know."""
        super().__init__()
        self._tell = tell
        self._told_at = -math.inf
        self._why: tuple[datetime, str] | None = None
        self._flight = flight
        self._views = views
        self._gates = gates
        self._host = host
        self._version = version
        self._job_lines = job_lines
        self._log_book = log_book
        self._now = now
        self._began: dict[JobId, datetime] = {}

    def on_receive(self, message: object) -> None:
        try:
            match message:
                case Standing(browsers):
                    self._keep_lines()
                    self._flight.write(self._moment(browsers))
                    self._tell_of_the_machine(browsers)
                case _:
                    log.error("unexpected message %r", message)
        except Exception:  # what only tells of the fleet must not end with it
            log.exception("%s could not be recorded", type(message).__name__)

    def on_stop(self) -> None:
        self._keep_lines()

    def _keep_lines(self) -> None:
        """One call for all orders of the host; while the database is away they wait."""
        lines = self._job_lines.take()
        try:
            self._log_book.keep(lines)
        except DatabaseUnavailable:
            self._job_lines.give_back(lines)
        except RegistreError as error:  # said where nobody reads it as a line about an order
            log.warning("%d lines about orders are not kept: %s", len(lines), error)

    def _tell_of_the_machine(self, browsers: tuple[BrowserStatus, ...]) -> None:
        if time.monotonic() - self._told_at < TELL_EVERY_SECONDS:
            return
        self._told_at = time.monotonic()
        with suppress(RegistreError):  # a database or a disk that is away has more to say elsewhere
            self._tell(sum(browser.state in ("idle", "busy") for browser in browsers))

    def _moment(self, browsers: tuple[BrowserStatus, ...]) -> Moment:
        now = self._now()
        self._began = {
            browser.job_id: self._began.get(browser.job_id, now) for browser in browsers if browser.job_id is not None
        }
        seen = tuple(self._browser(browser) for browser in browsers)
        try:
            counts = self._views.counts()
            why = self._why_anything_waits(now, counts[Status.WAITING])
        except RegistreError:
            return Moment(now, self._host, self._version, seen)
        return Moment(
            now,
            self._host,
            self._version,
            seen,
            counts[Status.WAITING],
            counts[Status.RUNNING],
            counts[Status.DONE],
            counts[Status.FAILED],
            why,
        )

    def _why_anything_waits(self, now: datetime, waiting: int) -> str | None:
        if not waiting:
            self._why = None
            return None
        if self._why is None or not timedelta() <= now - self._why[0] < ASK_WHY_EVERY:
            self._why = (now, self._gates.why())
        return self._why[1]

    def _browser(self, browser: BrowserStatus) -> BrowserMoment:
        request = browser.request
        return BrowserMoment(
            username=browser.seat.username,
            state=browser.state,
            order=browser.job_id,
            source=str(request.source) if request else "",
            number=request.number if request else "",
            step=str(browser.step) if browser.step else None,
            began=self._began.get(browser.job_id) if browser.job_id else None,
            idle_since=browser.idle_since,
            jobs_done=browser.jobs_done,
        )
