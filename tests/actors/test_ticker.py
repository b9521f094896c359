"""The ticker: messages later, or again and again, to actors that live."""

from __future__ import annotations

import time
from collections.abc import Iterator
from queue import Queue
from threading import Event
from typing import Any

import pykka
import pytest

from actors.messages import Ref
from actors.ticker import Ticker
from tests.waiting import SECONDS, until


class Listener(pykka.ThreadingActor):
    """Puts what it hears into a queue; 'wait' makes it busy until `go`."""

    use_daemon_thread = True

    def __init__(self, heard: Queue[tuple[object, float]], go: Event) -> None:
        super().__init__()
        self._heard, self._go = heard, go

    def on_receive(self, message: object) -> None:
        self._heard.put((message, time.monotonic()))
        if message == "wait":
            self._go.wait(SECONDS)


@pytest.fixture
def ticker() -> Iterator[Ticker]:
    ticker = Ticker()
    ticker.start()
    yield ticker
    ticker.stop()
    assert not ticker._thread.is_alive()


@pytest.fixture
def heard() -> Queue[tuple[object, float]]:
    return Queue()


@pytest.fixture
def go() -> Event:
    return Event()


@pytest.fixture
def listener(heard: Queue[tuple[object, float]], go: Event) -> Iterator[Ref]:
    ref: Ref = Listener.start(heard, go)
    yield ref
    go.set()
    ref.stop()


def test_a_period_begins_at_once_and_goes_on(ticker: Ticker, listener: Ref, heard: Queue[Any]) -> None:
    ticker.every(0.05, listener, "tick")
    times = [heard.get(timeout=SECONDS)[1] for _ in range(4)]
    assert times[-1] - times[0] >= 0.13


def test_a_delay_comes_once_and_not_before_its_time(ticker: Ticker, listener: Ref, heard: Queue[Any]) -> None:
    asked = time.monotonic()
    ticker.after(0.1, listener, "later")
    ticker.after(0, listener, "now")
    assert heard.get(timeout=SECONDS)[0] == "now"
    message, at = heard.get(timeout=SECONDS)
    assert message == "later"
    assert at - asked >= 0.1
    assert ticker._heap == []


def test_the_period_of_a_dead_actor_ends_and_others_go_on(
    ticker: Ticker, listener: Ref, heard: Queue[Any], go: Event
) -> None:
    mortal: Ref = Listener.start(Queue(), go)
    ticker.every(0.02, mortal, "tick")
    ticker.after(0.05, mortal, "later")
    ticker.every(0.02, listener, "tick")
    mortal.stop()
    until(lambda: [entry[3] for entry in list(ticker._heap)] in ([listener], []), "the dead actor's period goes on")
    while not heard.empty():
        heard.get()
    assert heard.get(timeout=SECONDS)[0] == "tick"


def test_an_actor_that_is_behind_gets_no_heap_of_ticks(
    ticker: Ticker, listener: Ref, heard: Queue[Any], go: Event
) -> None:
    other: Queue[Any] = Queue()
    clock: Ref = Listener.start(other, go)
    listener.tell("wait")
    assert heard.get(timeout=SECONDS)[0] == "wait"
    ticker.every(0.01, listener, "tick")
    ticker.every(0.01, clock, "tick")
    for _ in range(30):
        other.get(timeout=SECONDS)
    go.set()
    listener.tell("end")
    backlog = []
    while (message := heard.get(timeout=SECONDS)[0]) != "end":
        backlog.append(message)
    assert len(backlog) <= 1
    for _ in range(3):
        assert heard.get(timeout=SECONDS)[0] == "tick"
    clock.stop()


def test_stopping_a_ticker_does_not_wait_for_its_delays(listener: Ref) -> None:
    ticker = Ticker()
    ticker.start()
    ticker.after(3600, listener, "later")
    began = time.monotonic()
    ticker.stop()
    assert not ticker._thread.is_alive()
    assert time.monotonic() - began < 5
