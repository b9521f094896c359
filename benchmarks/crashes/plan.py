"""What one run orders and where it kills, all of it from its seed.

Invariant: equal seeds plan equal runs; what a kill meets still depends on the machine, so a failed run keeps its home.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from registre.document import CADASTRE_DU_QUEBEC, DocumentRequest, Source
from registre.job import Order
from registre.twin.catalogue import load_catalogue
from registre.twin.documents import Found, Query
from registre.twin.registry import Registry
from tests.faults.worker import POINTS

FEE_CENTS = 150
CAPPED = "capped"
"""The client whose budget has room for one document."""

PROCESSES = {
    "chromium": "Chromium is killed at a random instant, the worker lives",
    "renderer": "a page's process is killed at a random instant, the worker lives",
    "driver": "Playwright's driver is killed at a random instant, the worker lives",
}
KILLS = {
    **POINTS,
    "random": "the worker is killed at a random instant",
    "at_start": "the worker is killed while it starts or signs in",
    **PROCESSES,
}
"""Everything that a run can begin with, and what it is."""

EVERYWHERE = {"at_sync": 30, "at_call": 70}
"""Points that a life comes to again and again, and about how often."""
EVENTS_PER_ORDER = 8
"""A random instant is so many events after the first lease, at most, for each order; it hits whatever the machine's pace."""
BETWEEN_EVENTS_SECONDS = 0.3
START_SECONDS = 2.5

_PLACE = "Montréal"
_OF_SPECIAL_KIND = (
    DocumentRequest(Source.INDEX, "4 111 222", "Québec", CADASTRE_DU_QUEBEC),  # confirmed before it is shown
    DocumentRequest(Source.PLAN, "3 456 789", _PLACE, CADASTRE_DU_QUEBEC),  # chosen from a list
    DocumentRequest(Source.INDEX, "24A", "Gaspé", "Village de Gaspé", "Rang 1"),
)


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: at the `nth` time a worker comes to its point, or `delay` seconds after the `nth` event that a worker caused."""

    point: str
    nth: int = 1
    delay: float = 0.0

    @property
    def by_the_worker(self) -> bool:
        return self.point in POINTS

    @property
    def of_the_worker(self) -> bool:
        return self.point not in PROCESSES


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. `decisions` are what its person says about each ambiguous purchase, in order: buy again, or give up."""

    seed: int
    orders: tuple[Order, ...]
    kills: tuple[Kill, ...]
    decisions: tuple[bool, ...]

    @property
    def point(self) -> str:
        """The point it is counted under."""
        return self.kills[0].point


def make_plan(seed: int, number: int, registry: Registry) -> Plan:
    """Run `number` of a series: its first kill is the next of KILLS in turn, the others are the seed's."""
    chance = Random(f"{seed}/{number}")
    points = list(KILLS)
    orders = _orders(chance, registry)
    kills = [_kill(points[number % len(points)], len(orders), chance)]
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        kills.append(_kill(chance.choice(points), len(orders), chance))
    return Plan(number, orders, tuple(kills), tuple(chance.random() < 0.5 for _ in orders))


def _kill(point: str, orders: int, chance: Random) -> Kill:
    if point in EVERYWHERE:
        return Kill(point, chance.randint(1, EVERYWHERE[point]))
    if point in POINTS:
        # An early time for most: every order ends a run, so a late one may never come.
        return Kill(point, nth=min(chance.choice((1, 1, 1, 2, 2, 3)), orders))
    if point == "at_start":
        return Kill(point, nth=0, delay=chance.uniform(0, START_SECONDS))
    return Kill(point, chance.randint(1, EVENTS_PER_ORDER * orders), chance.uniform(0, BETWEEN_EVENTS_SECONDS))


def _orders(chance: Random, registry: Registry) -> tuple[Order, ...]:
    """Two of one document, one that does not exist, one or two under a cap that has room for one, and perhaps another."""
    twice = _index(chance, registry)
    orders = [
        Order(twice, client="a"),
        Order(twice, client="b"),
        Order(DocumentRequest(Source.INDEX, "9 999 999", _PLACE, CADASTRE_DU_QUEBEC), client="a"),
        Order(_acte(chance, registry), client=CAPPED),
    ]
    if chance.random() < 0.4:
        orders.append(Order(_index(chance, registry), client=CAPPED))
    if chance.random() < 0.4:
        orders.append(Order(chance.choice(_OF_SPECIAL_KIND), client="b"))
    if len(orders) == 4 and chance.random() < 0.3:
        del orders[chance.randrange(4)]
    chance.shuffle(orders)
    return tuple(orders)


def _index(chance: Random, registry: Registry) -> DocumentRequest:
    place = load_catalogue().named(_PLACE)
    cadastre = place.cadastre("000001")
    while True:
        number = str(chance.randrange(5_000_000, 6_900_000))
        if isinstance(registry.search(Query(Source.INDEX, number, place, cadastre)), Found):
            return DocumentRequest(Source.INDEX, number, _PLACE, CADASTRE_DU_QUEBEC)


def _acte(chance: Random, registry: Registry) -> DocumentRequest:
    place = load_catalogue().named(_PLACE)
    while True:
        number = str(chance.randrange(20_000_000, 26_000_000))
        if isinstance(registry.search(Query(Source.ACTE, number, place, acte_type="Acte")), Found):
            return DocumentRequest(Source.ACTE, number, _PLACE, acte_type="Acte")
