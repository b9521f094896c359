"""Keeps the flight recorder: what the supervisor saw of its browsers, and beside it what the database says of the queue. And puts
what was logged about orders where people read it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

import pykka

from actors.job_lines import JobLines
from actors.messages import BrowserStatus, Standing
from registre.errors import DatabaseUnavailable, RegistreError
from registre.job import JobId, Status
from registre.ports import Gates, LogBook, Views
from registre.recording import BrowserMoment, FlightRecorder, Moment

log = logging.getLogger(__name__)


class Recorder(pykka.ThreadingActor):
    """Owns: the file of the flight recorder, and the lines about orders that are not kept yet.
    Receives: Standing from the supervisor, every few seconds.
    Tells: nobody.
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
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
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

    def _moment(self, browsers: tuple[BrowserStatus, ...]) -> Moment:
        now = self._now()
        self._began = {
            browser.job_id: self._began.get(browser.job_id, now) for browser in browsers if browser.job_id is not None
        }
        seen = tuple(self._browser(browser) for browser in browsers)
        try:
            counts = self._views.counts()
            why = self._gates.why() if counts[Status.WAITING] else None
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
