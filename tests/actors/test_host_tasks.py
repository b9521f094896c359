"""A worker that only buys, and the tasks of its host in a program of their own: whatever becomes of the broker between them, or
of either, every document is delivered once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any, cast

import pytest
from pydantic import SecretStr

import actors.host_tasks
import actors.tasks
from actors.host_tasks import HostTasks
from actors.wake_ups import queue_of
from registre.errors import ConfigurationError, StoreUnavailable
from registre.job import Status
from registre.ports import Bucket
from registre.wiring import Store
from tests.actors.conftest import NEVER
from tests.actors.host import Site
from tests.fakes import FakeRegistry, Point
from tests.redis_server import RedisServer, running_redis
from tests.waiting import until

SOON = 0.1
STARTS = Callable[..., HostTasks]


@pytest.fixture
def broker() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def host(site: Site, broker: RedisServer) -> Site:
    """One account, and a worker that only tells the broker."""
    site.settings = site.settings.model_copy(update={"broker_url": SecretStr(broker.url)})
    site.accounts("99T0001")
    return site


@pytest.fixture
def start_tasks(host: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[STARTS]:
    """Starts the tasks program; `every` is how often it looks by itself."""
    running: list[HostTasks] = []

    def start(every: float = NEVER, store: Store | None = None) -> HostTasks:
        monkeypatch.setattr(actors.host_tasks, "LOOK_EVERY_SECONDS", every)
        tasks = HostTasks(host.settings, store or host.store)
        tasks.start()
        running.append(tasks)
        return tasks

    yield start
    for tasks in running:
        tasks.drain()


def test_what_the_worker_buys_is_delivered_by_the_other_program_as_soon_as_it_is_told(
    host: Site, broker: RedisServer, start_tasks: STARTS
) -> None:
    start_tasks()  # it never looks by itself
    host.start(tasks_elsewhere=True)
    host.until_ended(*host.order(1_000_001, 1_000_002))
    until(lambda: host.spooled() == [], "the spool keeps what is delivered")
    host.assert_money_is_right()
    until(lambda: broker.waiting(queue_of("host-a")) == 0, "wake-ups are left")


def test_a_worker_stops_without_waiting_for_tasks_that_are_away_and_they_deliver_later(
    host: Site, start_tasks: STARTS
) -> None:
    host.start(tasks_elsewhere=True, drain_seconds=600)
    (order,) = host.order(1_000_001)
    until(lambda: host.rows("select 1 from registre.purchases where state = 'secured'"), "nothing was bought")
    assert host.drain_in_the_background().result(20), "what is in the spool is safe"
    assert host.job(order).status is Status.RUNNING
    start_tasks()
    host.until_ended(order)
    until(lambda: host.spooled() == [], "the spool keeps what is delivered")
    host.assert_money_is_right()


def test_while_the_broker_is_away_the_worker_buys_and_documents_are_delivered_by_the_clock(
    host: Site, broker: RedisServer, start_tasks: STARTS, caplog: pytest.LogCaptureFixture
) -> None:
    broker.kill()
    start_tasks(every=SOON)
    host.start(tasks_elsewhere=True)
    host.until_ended(*host.order(1_000_001))
    broker.start()
    host.until_ended(*host.order(1_000_002))
    host.assert_money_is_right()
    told = [record.getMessage() for record in caplog.records if "does not answer" in record.getMessage()]
    assert 1 <= len(told) <= 2, "once by each program"
    assert "Traceback" not in caplog.text


def test_a_broker_that_answers_nobody_holds_no_browser(
    host: Site, broker: RedisServer, registry: FakeRegistry, start_tasks: STARTS
) -> None:
    host.start(tasks_elsewhere=True)
    host.until_idle(1)
    broker.hold_breath()
    host.order(1_000_001, 1_000_002)
    until(lambda: registry.calls(Point.SUBMIT) == 2, "the second order is not bought", seconds=4)
    broker.breathe()
    start_tasks(every=SOON)
    until(lambda: host.spooled() == [], "the spool keeps what is delivered")


def test_a_broker_that_is_emptied_loses_nothing(host: Site, broker: RedisServer, start_tasks: STARTS) -> None:
    host.start(tasks_elsewhere=True)
    orders = host.order(1_000_001, 1_000_002)
    until(lambda: broker.waiting(queue_of("host-a")) > 0, "no wake-up was sent")
    until(lambda: len(host.spooled()) == 2, "not everything was bought")
    broker.empty()
    start_tasks(every=SOON)
    host.until_ended(*orders)
    host.assert_money_is_right()


def test_two_programs_that_deliver_one_spool_at_once_deliver_each_document_once(
    host: Site, start_tasks: STARTS
) -> None:
    host.start(tasks_elsewhere=True)
    orders = host.order(*range(1_000_001, 1_000_013))
    until(lambda: len(host.spooled()) == 12, "not everything was bought")
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: start_tasks(every=SOON), range(2)))
    host.until_ended(*orders)
    until(lambda: host.spooled() == [], "the spool keeps what is delivered")
    host.assert_money_is_right()
    names = [file.name for file in (host.home.parent / "buckets").rglob("*.pdf")]
    assert len(names) == 12, "and under one name"


def test_a_delivery_that_keeps_failing_is_seen_until_it_succeeds(host: Site, start_tasks: STARTS) -> None:
    away = [True]

    class Moody:
        def put(self, *arguments: Any) -> None:
            if away:
                raise StoreUnavailable("The bucket index has no room left.")
            host.store.bucket.put(*arguments)

    host.start(tasks_elsewhere=True)
    start_tasks(every=SOON, store=replace(host.store, bucket=cast(Bucket, Moody())))
    (order,) = host.order(1_000_001)
    [failing] = until(host.store.views.failing_deliveries, "nobody is told")
    assert (failing.job_id, failing.host, failing.number) == (order, "host-a", "1000001")
    assert failing.reason == "The bucket index has no room left"
    assert "could not be put yet: The bucket index has no room left" in host.store.gates.why(order)
    assert [event.kind for event in host.store.views.story(order)].count("purchase.undelivered") == 1
    away.clear()
    host.until_ended(order)
    assert host.store.views.failing_deliveries() == []
    host.assert_money_is_right()


def test_a_delivery_that_hangs_is_stopped_said_and_tried_again(
    host: Site, start_tasks: STARTS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors.tasks, "TIME_LIMIT_MS", 1000)
    there = Event()

    class Hanging:
        def put(self, *arguments: Any) -> None:
            while not there.wait(0.05):  # as one who waits for a socket, again and again
                pass
            host.store.bucket.put(*arguments)

    host.start(tasks_elsewhere=True)
    start_tasks(every=SOON, store=replace(host.store, bucket=cast(Bucket, Hanging())))
    (order,) = host.order(1_000_001)
    until(
        lambda: [line.reason for line in host.store.ledger.lines(order)] == ["The delivery took more than 1 s"],
        "nobody says that it hangs",
    )
    there.set()
    host.until_ended(order)
    host.assert_money_is_right()


def test_a_worker_that_is_to_tell_somebody_needs_a_broker(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="REGISTRE_BROKER_URL"):
        site.start(tasks_elsewhere=True)
    assert site.fleet is None
