"""Faults are ordered by name, bite as often as ordered, and are all or none."""

from __future__ import annotations

import pytest

from registre.twin.fault_box import FaultBox
from registre.twin.faults import FAULTS


def test_a_count_bites_that_often_and_no_more() -> None:
    box = FaultBox()
    box.set("status_5xx", 2)
    assert [box.take("status_5xx") for _ in range(3)] == [True, True, False]
    assert box.snapshot() == {}


def test_a_count_of_true_bites_until_it_is_unset() -> None:
    box = FaultBox()
    box.set("refuse_login", True)
    assert all(box.take("refuse_login") for _ in range(5))
    box.set("refuse_login", None)
    assert not box.take("refuse_login")


def test_a_count_for_one_account_spares_the_others() -> None:
    box = FaultBox()
    box.set("expire_session", {"count": 1, "account": "99T0002"})
    assert box.snapshot() == {"expire_session": {"count": 1, "account": "99T0002"}}
    assert not box.take("expire_session", "99T0001")
    assert box.take("expire_session", "99T0002")
    assert not box.take("expire_session", "99T0002")


def test_a_number_of_zero_is_set() -> None:
    box = FaultBox()
    assert box.number("loading_seconds") is None
    box.set("loading_seconds", 0)
    assert box.number("loading_seconds") == 0


@pytest.mark.parametrize(
    "values",
    [
        {"no_such_fault": 1},
        {"latency_ms": -1},
        {"latency_ms": True},
        {"maintenance": 3},
        {"status_5xx": 1.5},
        {"status_5xx": {"count": 1, "who": "me"}},
        {"status_5xx": {"account": 7}},
    ],
)
def test_a_bad_order_changes_nothing(values: dict[str, object]) -> None:
    box = FaultBox()
    with pytest.raises(ValueError, match=next(iter(values))):
        box.update({"truncate_pdf": 1, **values})
    assert box.snapshot() == {}


def test_every_fault_says_what_it_does_and_clear_unsets_all() -> None:
    box = FaultBox()
    for name, spec in FAULTS.items():
        assert spec.meaning
        box.set(name, 1 if spec.kind != "switch" else True)
    assert set(box.snapshot()) == set(FAULTS)
    box.clear()
    assert box.snapshot() == {}
