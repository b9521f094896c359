"""The supervisor's view of its browsers, as the flight recorder keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

import actors.fleet
import actors.recorder
from actors.job_lines import JobLines
from actors.messages import BrowserStatus, Standing
from actors.recorder import Recorder
from registre.account import AccountId, Seat
from registre.errors import ConfigurationError
from registre.job import JobId, Status
from registre.recording import FlightRecorder, Moment, read
from tests.actors.host import Site
from tests.fakes import FakeRegistry, Point
from tests.waiting import until


def test_a_host_at_work_is_recorded_with_its_order_and_its_queue(
    site: Site, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors.fleet, "RECORD_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(actors.recorder, "TELL_EVERY_SECONDS", 0.05)
    site.accounts("99T0001")
    viewer = registry.hold(Point.VIEWER, number="1000001")
    [job_id] = site.order(1_000_001)
    site.start()
    viewer.wait()

    def recorded() -> list[Moment]:
        with suppress(ConfigurationError):
            return read(site.settings.recorder_folder)
        return []

    at_work = until(
        lambda: [m for m in recorded() if m.browsers and m.browsers[0].state == "busy"], "no work was recorded"
    )[-1]
    [browser] = at_work.browsers
    assert (browser.username, browser.order, browser.number) == ("99T0001", job_id, "1000001")
    assert browser.began is not None
    assert (at_work.host, at_work.active, at_work.waiting) == ("host-a", 1, 0)

    viewer.release()
    site.until_ended(job_id)
    at_rest = until(
        lambda: [m for m in recorded() if m.completed == 1 and m.browsers[0].state == "idle"], "no rest was recorded"
    )[-1]
    assert (at_rest.active, at_rest.browsers[0].jobs_done, at_rest.browsers[0].began) == (0, 1, None)
    assert "secret-of" not in (site.settings.recorder_folder / "flight.jsonl").read_text()
    [host] = until(lambda: [h for h in site.store.views.hosts() if h.facts.sessions == 1], "nobody told of the machine")
    assert (host.facts.memory_bytes or 0) > 10_000_000
    assert (host.facts.free_bytes or 0) > 0
    site.drain()


def test_why_anything_waits_is_asked_each_ten_seconds_while_something_does(tmp_path: Path) -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    waiting = 3
    asked: list[datetime] = []

    class Queue:
        def counts(self) -> Counter[Status]:
            return Counter({Status.WAITING: waiting})

        def why(self, job_id: JobId | None = None) -> str:
            asked.append(now)
            return f"reason {len(asked)}"

        def keep(self, lines: Sequence[object]) -> None:
            assert not lines

    queue = cast("Any", Queue())
    recorder = Recorder.start(
        FlightRecorder(tmp_path), queue, queue, "host-a", "1", JobLines("host-a"), queue, now=lambda: now
    )
    began = now
    for seconds, orders in ((0, 3), (2, 3), (8, 3), (10, 3), (12, 0), (14, 3)):
        now, waiting = began + timedelta(seconds=seconds), orders
        seat = Seat(AccountId("a"), 1, "99T0001", "host-a/1")
        recorder.ask(Standing((BrowserStatus(seat, "idle", None, None, None, jobs_done=seconds),)))
    recorder.stop()
    told = [moment.waiting_because for moment in read(tmp_path)]
    assert told == ["reason 1", "reason 1", "reason 1", "reason 2", None, "reason 3"]
    assert asked == [began + timedelta(seconds=seconds) for seconds in (0, 10, 14)]
