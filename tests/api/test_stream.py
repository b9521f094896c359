"""What happens is told as it happens, once and in order, also across connections; a slow reader slows nobody."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from api.app import create_app
from api.hub import Hub, Told, coalesced
from api.stream import hub_of
from registre.access import Role, make_key
from registre.document import DocumentRequest, Source
from registre.errors import DatabaseUnavailable
from registre.job import Order
from registre.wiring import Store
from tests.api.conftest import running
from tests.waiting import SECONDS, until


@dataclass(frozen=True, slots=True)
class Heard:
    """One event of a stream."""

    cursor: str
    kind: str
    data: str


class Reading:
    """One connection to the stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.lines = response.iter_lines()

    def next(self) -> Heard:
        """The next event; comments and settings of the stream are passed over."""
        fields: dict[str, str] = {}
        for line in self.lines:
            name, _, value = line.partition(": ")
            if name in {"id", "event", "data"}:
                fields[name] = value
            elif not line and "data" in fields:
                return Heard(fields["id"], fields["event"], fields["data"])
        raise AssertionError("the stream ended")

    def until(self, kind: str, number: str = "") -> Heard:
        while True:
            heard = self.next()
            if heard.kind == kind and number in heard.data:
                return heard


class Served:
    """The API on a real socket."""

    def __init__(self, address: str, key: str, hub: Hub) -> None:
        self.address, self.key, self.hub = address, key, hub

    @contextmanager
    def reading(self, **headers: str) -> Iterator[Reading]:
        with httpx.stream(
            "GET", f"{self.address}/api/events", headers={"X-API-Key": self.key, **headers}, timeout=SECONDS
        ) as response:
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            yield Reading(response)


@pytest.fixture
def served(store: Store) -> Iterator[Served]:
    key = make_key()
    store.keys.add(key, "a watcher", Role.VIEWER, "a test")
    app = create_app(store, keep_alive_seconds=0.1)
    hub = hub_of(app)
    with running(app) as address:
        yield Served(address, key.text, hub)


def order(store: Store, number: int) -> str:
    return store.queue.submit([Order(DocumentRequest(Source.INDEX, str(number), "Montréal", "Cadastre du Québec"))])[0]


def test_what_happens_is_told_as_it_happens(served: Served, store: Store) -> None:
    with served.reading() as reading:
        assert reading.next().kind == "ready"
        job_id = order(store, 1_000_001)
        heard = reading.until("job.submitted")
        assert json.loads(heard.data) == {
            "id": heard.cursor,
            "at": json.loads(heard.data)["at"],
            "kind": "job.submitted",
            "extraction_id": job_id,
            "data": store.views.story(store.views.jobs()[0].id)[0].data,
        }


def test_a_stream_goes_on_where_it_was_left_and_tells_nothing_twice(served: Served, store: Store) -> None:
    with served.reading() as reading:
        cursor = reading.next().cursor
    numbers = [str(1_000_000 + n) for n in range(1, 31)]
    told: list[str] = []
    for start in range(0, 30, 10):
        for number in numbers[start : start + 5]:  # while nobody listens
            order(store, int(number))
        with served.reading(**{"Last-Event-ID": cursor}) as reading:
            heard = reading.until("job.submitted")
            told.append(json.loads(heard.data)["data"]["number"])
            for number in numbers[start + 5 : start + 10]:
                order(store, int(number))
            while told[-1] != numbers[start + 9]:
                heard = reading.until("job.submitted")
                told.append(json.loads(heard.data)["data"]["number"])
            cursor = heard.cursor
    assert told == numbers


def test_a_stream_of_everything_begins_at_the_beginning(served: Served, store: Store) -> None:
    order(store, 1_000_001)
    with served.reading(**{"Last-Event-ID": ""}) as reading:
        assert reading.next().kind == "key.added"
        assert reading.next().kind == "job.submitted"


def test_a_silent_stream_says_that_it_is_there(served: Served) -> None:
    with served.reading() as reading:
        assert next(line for line in reading.lines if line.startswith(":")) == ": still here"


def test_a_last_event_that_is_none_is_refused(served: Served) -> None:
    answer = httpx.get(
        f"{served.address}/api/events", headers={"X-API-Key": served.key, "Last-Event-ID": "1-2"}, timeout=SECONDS
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Last-Event-ID")
    assert httpx.get(f"{served.address}/api/events", timeout=SECONDS).status_code == 401


def test_a_reader_who_leaves_is_forgotten_and_one_who_stays_ends_with_the_server(served: Served) -> None:
    with served.reading() as first, served.reading() as second:
        assert (first.next().kind, second.next().kind) == ("ready", "ready")
        assert served.hub.listeners == 2
        first.response.close()
        until(lambda: served.hub.listeners == 1, "a reader who left is still kept")
        served.hub.close()
        assert [line for line in second.lines if line and not line.startswith(":")] == []


def told(number: int, step_of: str | None = None) -> Told:
    return Told(f"0-9-{number}", str(number), step_of, b"x")


def test_of_the_steps_of_one_job_the_last_is_told() -> None:
    events = [told(1, "a"), told(2), told(3, "b"), told(4, "a"), told(5)]
    assert [event.number for event in coalesced(events)] == ["2", "3", "4", "5"]


def test_a_listener_who_takes_nothing_is_dropped_and_the_others_hear_everything(store: Store) -> None:
    async def listen_to_all() -> tuple[list[str], list[Told] | None]:
        loop = asyncio.get_running_loop()
        hub = Hub(store.views, store.queue, most_kept=10)
        slow, _ = await asyncio.to_thread(hub.join, loop)
        quick, _ = await asyncio.to_thread(hub.join, loop)
        heard: list[str] = []
        for number in range(12):
            await asyncio.to_thread(order, store, 1_000_001 + number)
            while len(heard) <= number:
                heard += [event.number for event in await quick.take(SECONDS) or []]
        lost = await slow.take(SECONDS)
        assert hub.listeners == 1
        hub.close()
        hub.wait()
        return heard, lost

    heard, lost = asyncio.run(listen_to_all())
    assert len(heard) == 12
    assert heard == sorted(heard, key=int)
    assert lost is None, "it comes back with the last event it was told"


def test_the_hub_reads_on_after_the_database_was_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., object] = store.views.events_after
    broken = threading.Event()

    def events_after(*arguments: object) -> object:
        if not broken.is_set():
            broken.set()
            raise DatabaseUnavailable("The database does not answer.")
        return real(*arguments)

    monkeypatch.setattr(store.views, "events_after", events_after)

    async def hear() -> list[Told] | None:
        hub = Hub(store.views, store.queue)
        listener, _ = await asyncio.to_thread(hub.join, asyncio.get_running_loop())
        await asyncio.to_thread(order, store, 1_000_001)
        heard = await listener.take(SECONDS)
        hub.close()
        hub.wait()
        return heard

    assert asyncio.run(hear())
    assert broken.is_set()
