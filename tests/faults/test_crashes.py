"""A small sample of `make proof-crashes`: the worker and its browsers killed on the twin, and the law holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks.crashes.crash import Run
from benchmarks.crashes.plan import KILLS, Kill, make_plan
from benchmarks.crashes.stage import Place, Stage, stage
from registre.twin.registry import Registry

SAMPLE = (
    Kill("after_click"),
    Kill("at_viewer"),
    Kill("after_rename"),
    Kill("during_ack"),
    Kill("random", nth=6, delay=0.1),
    Kill("chromium", nth=6, delay=0.1),
)


@pytest.fixture(scope="module")
def on(server_dsn: str) -> Iterator[Stage]:
    with stage(server_dsn) as made:
        yield made


@pytest.fixture(scope="module")
def place(on: Stage) -> Iterator[Place]:
    with on.place() as made:
        yield made


@pytest.mark.timeout(400)  # a whole registry, worker and person each time: a machine with other work takes minutes
@pytest.mark.parametrize("kill", SAMPLE, ids=lambda kill: kill.point)
def test_a_kill_breaks_no_law(kill: Kill, on: Stage, place: Place) -> None:
    plan = make_plan(1, list(KILLS).index(kill.point), on.twin.twin.registry)
    outcome = Run(on, place, replace(plan, orders=plan.orders[:3], kills=(kill,))).perform()
    assert outcome.killed == [kill]
    assert outcome.breaches == [], f"kept in {outcome.kept}"
    assert outcome.recovered is not None


def test_equal_seeds_plan_equal_runs() -> None:
    registry = Registry(1)
    assert make_plan(7, 3, registry) == make_plan(7, 3, registry) != make_plan(8, 3, registry)


def test_each_point_comes_in_its_turn() -> None:
    registry = Registry(1)
    assert [make_plan(1, number, registry).point for number in range(len(KILLS))] == list(KILLS)
