"""A small storm: mixed orders while the twin shows one bad manner after the other. `make proof-storm` is the large one."""

from __future__ import annotations

import pytest

from benchmarks.storm.run import storm
from benchmarks.storm.weather import LEFT_OUT, blow
from registre.twin.fault_orders import read_order
from registre.twin.faults import FAULTS


@pytest.mark.timeout(400)
def test_a_storm_breaks_no_law() -> None:
    outcome, _ = storm(seed=7, orders=10)
    assert outcome.breaches == []
    assert outcome.statuses["Complété"] > 0
    assert sum(outcome.statuses.values()) == 10
    assert outcome.billed > 0


def test_every_bad_manner_has_its_gust_and_the_twin_knows_it() -> None:
    gusts = blow(1)
    assert {gust.name for gust in gusts} == FAULTS.keys() - LEFT_OUT
    for gust in gusts:
        for name, order in gust.faults.items():
            assert read_order(name, order)


def test_equal_seeds_make_equal_weather() -> None:
    assert blow(3) == blow(3)
    assert blow(3) != blow(4)
