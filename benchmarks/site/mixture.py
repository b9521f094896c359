"""What both sides are asked for: always the same kinds of documents in the same order, never the same document twice.

Invariant: each ends in a document, however many pages lead to it, so that what is counted is documents; place by place, the
two sides get equals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count, cycle, islice
from typing import Any

from registre.document import DocumentRequest, Source
from registre.twin.config import TwinConfig
from registre.twin.documents import ACTE_TYPES, Answer, Found, PlanList, Query, SimilarList
from registre.twin.registry import Registry

RENOVATED = 2_000_000
"""Lots from here on are asked for; none of the twin's special cases is among what is taken."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One place in the mixture. Places are the twin's names; `listed` leads through a list to choose from."""

    source: Source
    circonscription: str
    cadastre: str = ""
    acte_type: str = ""
    listed: bool = False


_ACTE, _INDEX, _PLAN = Source.ACTE, Source.INDEX, Source.PLAN
_QUEBEC = "Cadastre du Québec"

KINDS = (
    Kind(_ACTE, "Montréal", acte_type="Acte"),
    Kind(_INDEX, "Laval", _QUEBEC),
    Kind(_ACTE, "Québec", acte_type="Acte"),
    Kind(_PLAN, "Montréal", _QUEBEC),
    Kind(_INDEX, "Shefford", "Canton de Granby"),
    Kind(_ACTE, "Sherbrooke", acte_type="Radiation"),
    Kind(_INDEX, "Terrebonne", _QUEBEC),
    Kind(_ACTE, "Hull", acte_type="Acte", listed=True),
    Kind(_PLAN, "Chambly", _QUEBEC, listed=True),
    Kind(_ACTE, "Trois-Rivières", acte_type="Avis d'adresse"),
)
"""Half actes, three tenths index, a fifth plans; a fifth of all through a list, plans with their confirmation besides."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One document: the order as people write it, and the codes the site's selects have for it."""

    request: DocumentRequest
    circonscription_code: str
    cadastre_code: str
    type_code: str

    def for_the_wire(self) -> dict[str, Any]:
        return {
            **asdict(self.request),
            "circonscription_code": self.circonscription_code,
            "cadastre_code": self.cadastre_code,
            "type_code": self.type_code,
        }


class Mixture:
    """An endless supply; `draw` begins the mixture anew each time."""

    def __init__(self) -> None:
        self._registry = Registry(TwinConfig().seed)
        self._numbers = count(1)

    def draw(self, documents: int) -> list[Wish]:
        return [self._one(kind) for kind in islice(cycle(KINDS), documents)]

    def _one(self, kind: Kind) -> Wish:
        catalogue = self._registry.catalogue
        place = catalogue.named(kind.circonscription)
        cadastre = next((c for c in place.cadastres if c.name == kind.cadastre), None)
        for number in self._candidates(kind):
            answer = self._registry.search(Query(kind.source, number, place, cadastre, "", kind.acte_type))
            if _is_wanted(answer, kind, number):
                break
        request = DocumentRequest(
            kind.source, number, kind.circonscription, kind.cadastre, acte_type=kind.acte_type
        ).validate()
        type_code = next((code for code, name in ACTE_TYPES.items() if name == kind.acte_type), "")
        return Wish(request, place.code, cadastre.code if cadastre else "", type_code)

    def _candidates(self, kind: Kind) -> Iterator[str]:
        for number in self._numbers:
            if kind.source is Source.ACTE or kind.cadastre == _QUEBEC:
                yield str(RENOVATED + number)
            else:
                yield str(number)


def _is_wanted(answer: Answer, kind: Kind, number: str) -> bool:
    """An ordinary document, by the way this kind takes."""
    match answer:
        case Found(document):
            return not kind.listed and not document.large and document.loading_seconds is None
        case SimilarList(rows):
            exact = [row for row in rows if (row.number, row.acte_type) == (number, kind.acte_type)]
            return kind.listed and len(exact) == 1 and exact[0].document is not None
        case PlanList(_, rows):
            return kind.listed and len({row.dated for row in rows}) == len(rows)
        case _:
            return False
