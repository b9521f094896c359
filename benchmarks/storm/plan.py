"""What a storm's clients order, all of it from a seed: ordinary documents, lists, refusals, misspellings, repeats.

Invariant: the place of each order is known apart from how it is spelled, so a document of another place is seen as wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from registre.document import ACTE_TYPES, CADASTRE_DU_QUEBEC, DocumentRequest, Source
from registre.job import Order
from registre.twin.catalogue import load_catalogue

CLIENTS = ("notaires", "arpenteurs", "recherchistes", "banque")
STRAIGHT = 0.1
"""The part of the orders that another program puts into the table by itself."""

_SPECIAL = (
    DocumentRequest(Source.INDEX, "2 784 195", "Montréal", CADASTRE_DU_QUEBEC),
    DocumentRequest(Source.INDEX, "24A", "Gaspé", "Village de Gaspé", "Rang 1"),
    DocumentRequest(Source.INDEX, "399-184", "Montréal", "Paroisse de Saint-Laurent"),
    DocumentRequest(Source.INDEX, "4 111 222", "Québec", CADASTRE_DU_QUEBEC),
    DocumentRequest(Source.PLAN, "3 456 789", "Montréal", CADASTRE_DU_QUEBEC),
    DocumentRequest(Source.PLAN, "2 784 195", "Montréal", CADASTRE_DU_QUEBEC),
    DocumentRequest(Source.ACTE, "12345678", "Québec", acte_type="Acte"),
    DocumentRequest(Source.ACTE, "25 616 321", "Montréal", acte_type="Acte"),
)
_NO_CHOICE = (
    DocumentRequest(Source.INDEX, "12", "Bonaventure", "Canton de Hope"),
    DocumentRequest(Source.INDEX, "118", "Jonquiere", "Paroisse de Jonquière"),
    DocumentRequest(Source.ACTE, "1234567", "Xylophone", acte_type="Acte"),
)
"""A circonscription nobody can tell, or that is none."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One order; `place` is the circonscription it means. `straight`: as a row, not through the program."""

    order: Order
    place: str
    straight: bool = False


def make_plan(seed: int, orders: int) -> list[Planned]:
    chance = Random(f"orders/{seed}")
    kinds: list[tuple[float, Callable[[Random], tuple[DocumentRequest, str]]]] = [
        (0.36, _index),
        (0.28, _acte),
        (0.16, _plan),
        (0.12, _special),
        (0.03, _no_choice),
    ]
    planned: list[Planned] = []
    for _ in range(orders):
        roll = chance.random()
        if planned and chance.random() < 0.06:
            again = chance.choice(planned)
            planned.append(replace(again, order=replace(again.order, client=chance.choice(CLIENTS))))
            continue
        make: Callable[[Random], tuple[DocumentRequest, str]] = _index
        for share, kind in kinds:
            if roll < share:
                make = kind
                break
            roll -= share
        request, place = make(chance)
        order = Order(request, client=chance.choice(CLIENTS), priority=chance.choice((0, 0, 0, 5)))
        planned.append(Planned(order, place, straight=chance.random() < STRAIGHT))
    return planned


def _place(chance: Random) -> tuple[str, str]:
    """A circonscription's name, and how a clerk in a hurry writes it."""
    name = chance.choice(load_catalogue().circonscriptions).name
    return name, chance.choice((name, name, name.upper(), name.replace("é", "e").replace("è", "e"), f" {name} "))


def _index(chance: Random) -> tuple[DocumentRequest, str]:
    name, written = _place(chance)
    number = chance.randrange(2_000_000, 6_900_000)
    return DocumentRequest(Source.INDEX, f"{number:,}".replace(",", " "), written, CADASTRE_DU_QUEBEC), name


def _plan(chance: Random) -> tuple[DocumentRequest, str]:
    request, name = _index(chance)
    return replace(request, source=Source.PLAN), name


def _acte(chance: Random) -> tuple[DocumentRequest, str]:
    name, written = _place(chance)
    number = str(chance.randrange(1_000_000, 26_000_000))
    return DocumentRequest(Source.ACTE, number, written, acte_type=chance.choice(ACTE_TYPES)), name


def _special(chance: Random) -> tuple[DocumentRequest, str]:
    request = chance.choice(_SPECIAL)
    return request, request.circonscription


def _no_choice(chance: Random) -> tuple[DocumentRequest, str]:
    request = chance.choice(_NO_CHOICE)
    return request, request.circonscription
