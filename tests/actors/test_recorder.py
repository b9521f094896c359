"""The supervisor's view of its browsers, as the flight recorder keeps it."""

from __future__ import annotations

from contextlib import suppress

import pytest

import actors.fleet
import actors.recorder
from registre.errors import ConfigurationError
from registre.recording import Moment, read
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
