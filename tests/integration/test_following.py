"""A follower tells every fact once, with the bell or without."""

from __future__ import annotations

from threading import Thread

import pytest

from registre.following import EventFollower
from registre.wiring import Store
from tests.desk import Desk
from tests.waiting import SECONDS


@pytest.mark.parametrize("rung", [True, False], ids=["by the bell", "by looking again"])
def test_a_follower_tells_every_fact_once_and_in_order(desk: Desk, store: Store, rung: bool) -> None:
    desk.order("before")
    # the bell alone must do where it is listened to: nobody looks again within this test's patience
    look_every = 10 * SECONDS if rung else 0.05
    follower = EventFollower(
        store.views, store.views.events_end(), bell=store.queue if rung else None, look_every=look_every
    )
    wanted = [str(number) for number in range(1_000_001, 1_000_041)]
    told: list[str] = []

    def read() -> None:
        while len(told) < len(wanted):
            told.extend(event.data["number"] for event in follower.next(SECONDS) if event.kind == "job.submitted")

    reader = Thread(target=read, daemon=True)
    reader.start()
    for number in wanted[:20]:
        desk.order(number)
    desk.order(*wanted[20:])
    while reader.is_alive():  # the bell rings at most ten times a second: what it missed is found at its next ring
        desk.sql("select registre.ring()")
        reader.join(0.05)
    follower.stop()
    assert told == wanted


def test_a_follower_gives_up_waiting_and_goes_on_later(desk: Desk, store: Store) -> None:
    follower = EventFollower(store.views, "", look_every=0.01)
    assert follower.next(timeout=0.02) == []
    desk.order(1_000_001)
    assert [event.kind for event in follower.next(SECONDS)] == ["job.submitted"]
    assert [event.cursor for event in store.views.last_events(5)] == [follower.cursor] == [store.views.events_end()]
    follower.stop()
    assert follower.next() == []
