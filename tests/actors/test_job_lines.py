"""What a worker logs about an order is found with the order: by name or by whose thread it was, and without a secret."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Thread

import pytest

import actors.fleet
from actors.job_lines import MOST_LINES, JobLines
from registre.errors import DatabaseUnavailable, DataError, ErrorKind
from registre.job import JobId, LogLine
from registre.log import about
from tests.actors.host import Site
from tests.fakes import FakeRegistry, Point
from tests.waiting import SECONDS, until

JOB, OTHER = "5f0c2f7e-1d3b-4c52-9a0e-6a3f0a7d9b11", "c1a7d0de-8f42-4b0f-b8a5-2f9c1e6d4a20"


@pytest.fixture
def lines() -> Iterator[JobLines]:
    handler, logger = JobLines("host-a"), logging.getLogger("registre.a_test")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


log = logging.getLogger("registre.a_test")


def test_a_line_is_about_the_order_it_names_else_about_the_one_in_hand(lines: JobLines) -> None:
    log.info("a line about nothing")
    with about(JOB):
        log.info("a page came")
        log.warning("job %s: waits", OTHER)
        with about(None):
            log.info("about nothing again")
    log.info("job 7: no order")
    assert [(line.job_id, line.level, line.text) for line in lines.take()] == [
        (JOB, "INFO", "a page came"),
        (OTHER, "WARNING", f"job {OTHER}: waits"),
    ]
    assert lines.take() == []


def test_a_coroutine_that_is_started_for_an_order_logs_about_it(lines: JobLines) -> None:
    """As the pages of all browsers are worked on: in one loop, for whichever thread asks."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()

    async def work(words: str) -> None:
        await asyncio.sleep(0)
        log.info(words)

    try:
        with about(JOB):
            first = asyncio.run_coroutine_threadsafe(work("for one"), loop)
        with about(OTHER):
            second = asyncio.run_coroutine_threadsafe(work("for the other"), loop)
        third = asyncio.run_coroutine_threadsafe(work("for none"), loop)
        for done in (first, second, third):
            done.result(SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(SECONDS)
        loop.close()
    assert [(line.job_id, line.text) for line in lines.take()] == [(JOB, "for one"), (OTHER, "for the other")]


def test_no_secret_is_in_a_line_nor_in_the_error_it_tells_of(lines: JobLines) -> None:
    lines.hide("Pâ&e 9")
    with about(JOB):
        log.info("typed Pâ&e 9, posted as P%E2%26e+9; password=other")
        try:
            raise ValueError("Pâ&amp;e 9")
        except ValueError:
            log.exception("it failed")
    told = [line.text for line in lines.take()]
    assert told == ["typed •••, posted as •••; password=***", "it failed (ValueError: •••)"]


def test_lines_wait_within_bounds_while_they_cannot_be_kept(lines: JobLines) -> None:
    with about(JOB):
        for number in range(MOST_LINES + 10):
            log.info("line %d", number)
        taken = lines.take()
        assert (len(taken), taken[0].text) == (MOST_LINES, "line 10")
        log.info("a new one")
    lines.give_back(taken)
    again = lines.take()
    assert (len(again), again[0].text, again[-1].text) == (MOST_LINES, "line 11", "a new one")


def test_the_lines_of_an_order_are_read_with_it(
    site: Site, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(actors.fleet, "RECORD_EVERY_SECONDS", 0.05)
    for name in actors.fleet.LOGGED:
        caplog.set_level(logging.INFO, name)
    site.accounts("99T0001")
    form = registry.hold(Point.FILL, number="1000001")
    registry.fail(Point.FILL, DataError(ErrorKind.NOT_FOUND, "Aucun résultat."), number="1000002")
    one, other = site.order(1_000_001, 1_000_002)
    site.start()
    form.wait()
    [begun] = until(lambda: site.store.log.of(one), "nothing is told while it is worked on") or []
    assert (begun.host, begun.level) == ("host-a", "INFO")
    assert "attempt 1 by host-a/99T0001" in begun.text
    form.release()
    site.until_ended(one, other)
    site.drain()
    assert [line.text for line in site.store.log.of(one)][-1] == f"job {one}: secured"
    assert "Aucun résultat." in site.store.log.of(other)[-1].text
    assert not [handler for handler in logging.getLogger("actors").handlers if isinstance(handler, JobLines)]


def test_lines_that_a_database_that_was_away_did_not_take_are_kept_later(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(actors.fleet, "RECORD_EVERY_SECONDS", 0.05)
    caplog.set_level(logging.INFO, "actors")
    book, refused = site.store.log, list[Sequence[LogLine]]()

    class Away:
        """Refuses three times."""

        def keep(self, lines: Sequence[LogLine]) -> None:
            if lines and len(refused) < 3:
                refused.append(lines)
                raise DatabaseUnavailable("It is away.")
            book.keep(lines)

        def of(self, job_id: JobId) -> list[LogLine]:
            return book.of(job_id)

    site.store = replace(site.store, log=Away())
    site.accounts("99T0001")
    (order,) = site.order(1_000_001)
    site.start()
    site.until_ended(order)
    until(lambda: book.of(order), "they were lost")
    site.drain()
    assert len(refused) == 3
    assert "attempt 1" in book.of(order)[0].text
