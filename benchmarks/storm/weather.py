"""The weather of a storm: which bad manner the site has, how often it bites and when it passes, all of it from a seed.

Invariant: equal seeds make equal weather. Two gusts of one kind never blow together, so that what passes is what came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from registre.twin.faults import FAULTS, LOT_SELECTS
from registre.twin.places import Place

BEFORE_MONEY = (Place.FORM, Place.RELOAD, Place.LOGIN, Place.MENU)
AROUND_MONEY = (Place.SEARCH, Place.CHOOSE_ACTE, Place.CHOOSE_PLAN, Place.CONFIRM, Place.LOADING, Place.VIEWER)
AFTER_MONEY = (Place.VIEWER_MENU, Place.SAVE)

LAYOUT = frozenset(
    {"renamed_field", "moved_field", "options_added", "options_removed", "options_recoded", "quebec_label"}
)
"""What freezes a source until a person has looked."""

LEFT_OUT = frozenset({"keep_connections"})
"""On a connection that is kept and breaks, Chromium repeats a request by itself: the program can only warn of it."""


@dataclass(frozen=True, slots=True)
class Gust:
    """One stretch of bad weather: the orders given to the twin, by fault, and how many orders end before it passes."""

    faults: Mapping[str, Any]
    lasts: int

    @property
    def name(self) -> str:
        """The fault it is counted under."""
        return next(iter(self.faults))


def _times(chance: Random, most: int = 3) -> int:
    return chance.randint(1, most)


def _page(*places: Place) -> Callable[[Random], dict[str, Any]]:
    def order(chance: Random) -> dict[str, Any]:
        return {"count": _times(chance), "page": chance.choice(places).value}

    return order


def _counted(most: int) -> Callable[[Random], dict[str, Any]]:
    return lambda chance: {"count": _times(chance, most)}


def _any_place(chance: Random) -> dict[str, Any]:
    group = chance.choice((BEFORE_MONEY, AROUND_MONEY, AROUND_MONEY, AFTER_MONEY))
    return {"count": _times(chance), "page": chance.choice(group).value}


_ORDERS: dict[str, Callable[[Random], Any]] = {
    "latency_ms": lambda chance: {"value": float(chance.choice((100, 300, 1000)))},
    "status_5xx": _any_place,
    "maintenance": _page(*BEFORE_MONEY, *AROUND_MONEY),
    "closed": _page(*BEFORE_MONEY, *AROUND_MONEY),
    "hang": lambda chance: {**_any_place(chance), "count": 1},
    "reset": _any_place,
    "cut": _any_place,
    "expire_session": _page(Place.FORM, Place.RELOAD, Place.SEARCH, Place.LOADING, Place.VIEWER_MENU, Place.SAVE),
    "refuse_login": _counted(1),
    "lock_after": lambda chance: 1.0,
    "identity_question": _counted(1),
    "notice": _counted(2),
    "renamed_field": lambda chance: chance.choice(("txtNumrtLot", "txtNoReqst", "selCadst", "btnSoumt")),
    "moved_field": lambda chance: chance.choice(("selCircnFoncr", "txtNumrtLot")),
    "options_added": lambda chance: chance.choice(("selCircnFoncr", "selCadst")),
    "options_removed": lambda chance: "Montréal",
    "options_recoded": lambda chance: chance.choice(LOT_SELECTS[:2]),
    "quebec_label": lambda chance: "Québec",
    "acte_form_reloads": lambda chance: True,
    "windows_1252": lambda chance: True,
    "unknown_sentence": lambda chance: {"count": _times(chance, 2)},
    "loading_seconds": lambda chance: {"value": chance.choice((1.0, 2.0, 20.0)), "count": _times(chance, 2)},
    "no_save_link": _counted(4),
    "no_download": _counted(4),
    "truncate_pdf": _counted(4),
    "html_for_pdf": _counted(4),
    "html_file": _counted(4),
    "other_document": _counted(4),
}

_NEEDS_A_LOGIN = frozenset({"refuse_login", "lock_after", "identity_question", "notice"})


def blow(seed: int) -> list[Gust]:
    """One gust of each kind, in the seed's order; a storm goes round it as often as its orders last."""
    chance = Random(f"weather/{seed}")
    kinds = [name for name in FAULTS if name not in LEFT_OUT]
    chance.shuffle(kinds)
    return [_gust(kind, chance) for kind in kinds]


def _gust(kind: str, chance: Random) -> Gust:
    faults: dict[str, Any] = {kind: _ORDERS[kind](chance)}
    if kind == "lock_after":
        faults["refuse_login"] = {"count": 1}
    if kind in _NEEDS_A_LOGIN:
        faults["expire_session"] = {"count": 1, "page": Place.FORM.value}
    return Gust(faults, lasts=chance.randint(1, 4))
