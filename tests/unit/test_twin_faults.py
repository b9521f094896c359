"""Faults are ordered by name, for a place, an account and a count, and are all or none."""

from __future__ import annotations

import pytest

from registre.twin import paths
from registre.twin.fault_box import FaultBox
from registre.twin.fault_orders import read_arguments
from registre.twin.faults import FAULTS, FaultKind
from registre.twin.places import Place, place_of


def test_a_count_bites_that_often_and_no_more() -> None:
    box = FaultBox()
    box.set("status_5xx", 2)
    assert [box.take("status_5xx") for _ in range(3)] == [True, True, False]
    assert box.snapshot() == {}


@pytest.mark.parametrize("none", [None, False, 0, [], [False]])
def test_a_fault_that_always_bites_does_so_until_it_is_unset(none: object) -> None:
    box = FaultBox()
    box.set("refuse_login", True)
    assert all(box.take("refuse_login") for _ in range(5))
    box.set("refuse_login", none)
    assert not box.take("refuse_login")


def test_a_count_for_one_account_spares_the_others() -> None:
    box = FaultBox()
    box.set("expire_session", {"count": 1, "account": "99T0002"})
    assert box.snapshot() == {"expire_session": {"count": 1, "account": "99T0002"}}
    assert not box.take("expire_session", "99T0001")
    assert not box.take("expire_session")
    assert box.take("expire_session", "99T0002")
    assert not box.take("expire_session", "99T0002")


def test_a_fault_of_one_page_spares_the_others_and_comes_before_that_of_all() -> None:
    box = FaultBox()
    box.set("latency_ms", [50, {"value": 900, "page": "viewer", "count": 1}])
    assert box.number("latency_ms", None, Place.FORM) == 50
    assert box.number("latency_ms", None, Place.VIEWER) == 900
    assert box.number("latency_ms", None, Place.VIEWER) == 50


def test_a_number_of_zero_is_set() -> None:
    box = FaultBox()
    assert box.number("loading_seconds") is None
    box.set("loading_seconds", 0)
    assert box.number("loading_seconds") == 0


def test_what_is_shown_can_be_ordered_again() -> None:
    box, other = FaultBox(), FaultBox()
    box.update(
        {
            "latency_ms": [20, {"value": 3, "page": "viewer"}],
            "unknown_sentence": {"value": "Non.", "count": 2},
            "hang": {"count": 1, "account": "99T0001", "page": "save"},
            "maintenance": True,
            "options_recoded": ["selCadst", "selCircnFoncr"],
        }
    )
    other.update(box.snapshot())
    assert other.snapshot() == box.snapshot()
    assert box.snapshot()["hang"] == {"count": 1, "account": "99T0001", "page": "save"}


@pytest.mark.parametrize(
    "values",
    [
        {"no_such_fault": 1},
        {"latency_ms": -1},
        {"latency_ms": True},
        {"latency_ms": float("inf")},
        {"maintenance": 1.5},
        {"status_5xx": {"count": 1, "who": "me"}},
        {"status_5xx": {"account": 7}},
        {"status_5xx": {"page": "nowhere"}},
        {"refuse_login": {"page": "viewer"}},
        {"quebec_label": {"value": "Québec", "count": 2}},
        {"acte_form_reloads": 2},
        {"renamed_field": "txtNothing"},
        {"unknown_sentence": 12},
        {"unknown_sentence": ""},
    ],
)
def test_a_bad_order_changes_nothing_and_is_named(values: dict[str, object]) -> None:
    box = FaultBox()
    with pytest.raises(ValueError, match=next(iter(values))):
        box.update({"truncate_pdf": 1, **values})
    assert box.snapshot() == {}


def test_every_fault_says_what_it_does_and_clear_unsets_all() -> None:
    box = FaultBox()
    for name, spec in FAULTS.items():
        assert spec.meaning
        box.set(name, 1 if spec.kind is FaultKind.NUMBER else True)
    assert set(box.snapshot()) == set(FAULTS)
    box.clear()
    assert box.snapshot() == {}


@pytest.mark.parametrize(
    ("argument", "orders"),
    [
        ("maintenance", {"maintenance": True}),
        ("maintenance=false", {}),
        ("status_5xx=3", {"status_5xx": 3}),
        ("status_5xx=3,page=viewer", {"status_5xx": {"count": 3, "page": "viewer"}}),
        ("status_5xx=page=viewer", {"status_5xx": {"count": True, "page": "viewer"}}),
        ("hang=count=2,account=99T0001,page=save", {"hang": {"count": 2, "account": "99T0001", "page": "save"}}),
        ("latency_ms=0.5", {"latency_ms": 0.5}),
        ("lock_after", {"lock_after": 3.0}),
        ("options_removed=Îles-de-la-Madeleine", {"options_removed": "Îles-de-la-Madeleine"}),
        ("quebec_label=12", {"quebec_label": "12"}),
        ("unknown_sentence=Non, a=b, c.,count=1", {"unknown_sentence": {"value": "Non, a=b, c.", "count": 1}}),
    ],
)
def test_an_argument_of_the_command_line_is_an_order(argument: str, orders: dict[str, object]) -> None:
    box = FaultBox()
    box.update(read_arguments([argument]))
    assert box.snapshot() == orders


def test_a_fault_given_twice_is_set_twice() -> None:
    box = FaultBox()
    box.update(read_arguments(["latency_ms=5", "latency_ms=9,page=viewer"]))
    assert box.snapshot() == {"latency_ms": [5.0, {"value": 9.0, "count": True, "page": "viewer"}]}


@pytest.mark.parametrize(
    "argument", ["", "=3", "nope", "latency_ms", "latency_ms=soon", "hang=page=viewer=3", "hang=2.5"]
)
def test_a_wrong_argument_is_one_sentence(argument: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        read_arguments(["maintenance", argument])


def test_every_page_is_a_place_of_its_own() -> None:
    form = next(iter(paths.FORMS.values()))
    asked = [
        place_of("GET", paths.ENTRY),
        place_of("GET", form),
        place_of("POST", form, {"selCircnFoncr"}),
        place_of("POST", form, {"btnSoumt"}),
        place_of("POST", paths.LOGIN, {"btnSoumt"}),
        place_of("GET", paths.CONFIRMATION),
        place_of("POST", paths.CONFIRMATION, {"btnConfr"}),
        place_of("GET", f"{paths.IMAGES}/sauvg.gif"),
    ]
    assert asked == [
        Place.ENTRY, Place.FORM, Place.RELOAD, Place.SEARCH, Place.SIGN_IN, Place.CONFIRMATION, Place.CONFIRM, Place.IMAGE,
    ]  # fmt: skip
