"""The site's idle limit as all hosts learn it, and whether a session is worth keeping; one suite over both stores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any

import pytest

from registre.document import DocumentRequest, Source
from registre.gates import Scope, ServiceHours
from registre.idleness import IdleEnd
from registre.job import JobId, Order
from tests.property.machines.ports import STORES, Clock, Ports, store_factory

ASSUMED = timedelta(minutes=20)
MINUTE = timedelta(minutes=1)
VISIBILITY = timedelta(hours=1)


@dataclass
class World:
    """One store, one clock, and what idle sessions came to in it."""

    store: Ports
    clock: Clock = field(default_factory=Clock)

    def died_after(self, minutes: float) -> float:
        """The limit afterwards, in minutes."""
        return self._ended(minutes, survived=False)

    def lived_through(self, minutes: float) -> float:
        return self._ended(minutes, survived=True)

    def _ended(self, minutes: float, *, survived: bool) -> float:
        limit: timedelta = self.store.idleness.note(IdleEnd(minutes * 60, survived), ASSUMED)
        assert self.store.idleness.limit(ASSUMED) == limit
        return limit / MINUTE

    @property
    def limit(self) -> float:
        limit: timedelta = self.store.idleness.limit(ASSUMED)
        return limit / MINUTE

    def events(self) -> list[tuple[float, float]]:
        """(before, after) of each change that was told, in minutes."""
        told = [e.data for e in self.store.views.last_events(100) if e.kind == "idle_limit.learnt"]
        return [(data["before"] / 60, data["seconds"] / 60) for data in told]

    def order(self, **more: Any) -> JobId:
        number = 1_000_000 + len(self.store.views.jobs(limit=1000))
        request = DocumentRequest(Source.INDEX, str(number), "Montréal", "Cadastre du Québec")
        [job_id] = self.store.queue.submit([Order(request, **more)])
        return JobId(job_id)

    def is_due(self, minutes: float = 20, username: str = "marie") -> bool:
        return bool(self.store.idleness.work_due(username, minutes * MINUTE))


@pytest.fixture(params=STORES)
def world(request: pytest.FixtureRequest) -> World:
    clock = Clock()
    store_at: Callable[..., Any] = store_factory(request.param, request)
    return World(store_at(clock), clock)


# -- the limit


def test_before_anything_is_seen_the_profiles_limit_holds(world: World) -> None:
    assert world.limit == 20
    assert world.store.idleness.learnt().limit is None
    assert world.lived_through(16) == 20
    learnt = world.store.idleness.learnt()
    assert (learnt.limit, learnt.survived) == (None, 16 * MINUTE)
    assert world.events() == []


def test_a_session_that_died_teaches_every_host_a_shorter_limit_and_it_is_told_once(world: World) -> None:
    assert world.died_after(15) == 15
    assert world.died_after(15) == 15
    assert world.died_after(18) == 15
    assert world.events() == [(20, 15)]
    learnt = world.store.idleness.learnt()
    assert (learnt.limit, learnt.learnt_at) == (15 * MINUTE, world.clock.now)


def test_a_session_that_lived_for_longer_raises_it_again(world: World) -> None:
    world.died_after(5)
    assert world.lived_through(4) == 5
    assert world.lived_through(12) == 12
    assert world.lived_through(45) == 45
    assert world.events() == [(20, 5), (5, 12), (12, 45)]


def test_a_death_at_once_teaches_no_absurd_limit(world: World) -> None:
    assert world.died_after(0.01) == 2
    assert world.died_after(0.01) == 2
    assert world.events() == [(20, 2)]


def test_a_death_that_longer_lives_contradict_is_believed_only_when_it_comes_again_later(world: World) -> None:
    world.lived_through(16)
    assert [world.died_after(3), world.died_after(4)] == [20, 20], "a restart of the site ends all sessions at once"
    world.clock.pass_time(601)
    assert world.died_after(4) == 4
    assert world.events() == [(20, 4)]


def test_a_longer_life_clears_the_doubt(world: World) -> None:
    world.lived_through(16)
    world.died_after(3)
    world.lived_through(5)
    world.clock.pass_time(601)
    assert world.died_after(4) == 20
    assert world.events() == []


def test_a_shorter_life_clears_no_doubt(world: World) -> None:
    world.lived_through(16)
    world.died_after(9)
    world.lived_through(5)
    world.clock.pass_time(601)
    assert world.died_after(9) == 9


def test_a_limit_learnt_from_one_death_is_forgotten_after_a_week(world: World) -> None:
    world.died_after(3)
    world.clock.pass_time(7 * 86_400 - 1)
    assert world.limit == 3
    world.clock.pass_time(2)
    assert world.limit == 20
    assert world.died_after(10) == 10


def test_a_longer_limit_is_never_forgotten(world: World) -> None:
    world.lived_through(60)
    world.clock.pass_time(90 * 86_400)
    assert world.limit == 60


# -- the work that is due


def test_nothing_is_due_where_nothing_waits(world: World) -> None:
    assert not world.is_due()


def test_a_waiting_order_is_due_and_one_put_off_when_its_time_is_near(world: World) -> None:
    world.store.accounts.add("marie", "secret")
    [(seat, _)] = world.store.accounts.claim("host-a/1", 1, VISIBILITY)
    world.order()
    assert world.is_due()
    [lease] = world.store.queue.lease_next("host-a/1", [seat], VISIBILITY)
    assert not world.is_due(), "what is at work does not wait"
    world.store.queue.snooze(lease, 30 * MINUTE, "the site is away")
    assert not world.is_due(20)
    assert world.is_due(31)
    world.clock.pass_time(15 * 60)
    assert world.is_due(20)


def test_gates_that_are_shut_for_hours_make_nothing_due_and_those_that_open_soon_do(world: World) -> None:
    world.order()
    local = time(13)  # the clock stands at 10:00 of a Monday in Toronto
    world.store.gates.set_hours([ServiceHours(1, local, time(20))], "a test")
    assert not world.is_due(20)
    world.clock.pass_time(2 * 3600 + 50 * 60)
    assert world.is_due(20)


@pytest.mark.parametrize(
    ("scope", "name"), [(Scope.SITE, ""), (Scope.SOURCE, "index"), (Scope.CLIENT, "étude"), (Scope.ACCOUNT, "marie")]
)
def test_what_a_person_paused_is_not_due(scope: Scope, name: str, world: World) -> None:
    world.store.accounts.add("marie", "secret")
    world.order(client="étude")
    assert world.is_due()
    world.store.gates.pause(scope, name, "a test", "lunch")
    assert not world.is_due()
    assert world.is_due(username="benoît") is (scope is Scope.ACCOUNT)


def test_one_open_lane_among_closed_ones_is_due(world: World) -> None:
    for client in ("a", "b", "c"):
        world.order(client=client)
        if client != "b":
            world.store.gates.pause(Scope.CLIENT, client, "a test", "lunch")
    assert world.is_due()
    world.store.gates.pause(Scope.CLIENT, "b", "a test", "lunch")
    assert not world.is_due()


def test_a_breaker_that_lets_a_probe_through_soon_keeps_sessions(world: World) -> None:
    world.order()
    for _ in range(3):
        world.store.gates.site_away("503.")
    assert world.is_due(20)
    assert not world.is_due(0.5)
