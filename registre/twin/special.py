"""The named special cases of `data/special.toml`, as answers.

Invariant: one case answers one request; what is said there overrides whatever the seed would say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from registre.document import Source
from registre.twin.catalogue import DATA, Catalogue, load_catalogue
from registre.twin.documents import (
    Answer,
    Document,
    Found,
    PlanList,
    Query,
    Refusal,
    Row,
    SaveLink,
    SimilarList,
    is_renovated,
)
from registre.twin.sentences import NO_MATCH, WRONG_CIRCONSCRIPTION, inactive_lot_with_plans

DEFAULT_DATE = date(2024, 3, 1)


@dataclass(frozen=True, slots=True)
class SpecialCase:
    """One case: the request (`circonscription` and `cadastre` as in the file, '' for any) and its answer."""

    name: str
    source: Source
    number: str
    circonscription: str
    cadastre: str
    designation: str
    acte_type: str
    answer: Answer

    def meets(self, query: Query) -> bool:
        """True if the query is about this case's number, before its place is compared in full."""
        if (query.source, query.number) != (self.source, self.number):
            return False
        if self.source is Source.ACTE:
            return query.circonscription is not None and query.circonscription.name == self.circonscription
        return is_renovated(self.number) or (
            query.circonscription is not None
            and query.circonscription.name == self.circonscription
            and query.cadastre is not None
            and query.cadastre.code == self.cadastre
        )

    def answer_to(self, query: Query) -> Answer:
        """The case's answer, or the site's refusal when place, désignation or type is another."""
        if self.source is not Source.ACTE:
            given = query.circonscription
            if self.circonscription and given is not None and given.name != self.circonscription:
                return WRONG_CIRCONSCRIPTION
            return self.answer if query.designation == self.designation else NO_MATCH
        if isinstance(self.answer, Found) and query.acte_type != self.acte_type:
            document = self.answer.document
            return SimilarList((_row(document.number, document.number, document),))
        return self.answer


@cache
def load_special_cases() -> tuple[SpecialCase, ...]:
    """The cases of the file, in its order."""
    text = (DATA / "special.toml").read_text(encoding="utf-8")
    catalogue = load_catalogue()
    return tuple(_case(entry, catalogue) for entry in tomllib.loads(text)["special"])


def special_case(name: str) -> SpecialCase:
    """The case of this name; KeyError when there is none."""
    for case in load_special_cases():
        if case.name == name:
            return case
    raise KeyError(name)


def special_document(name: str) -> Document:
    """The document of a case that leads straight to one; KeyError when there is no such case."""
    answer = special_case(name).answer
    if not isinstance(answer, Found):
        raise KeyError(name)
    return answer.document


def _case(entry: dict[str, Any], catalogue: Catalogue) -> SpecialCase:
    place = entry.get("circonscription", "")
    if place:
        catalogue.named(place)
    return SpecialCase(
        name=entry["name"],
        source=Source(entry["source"]),
        number=entry["number"],
        circonscription=place,
        cadastre=entry.get("cadastre", ""),
        designation=entry.get("designation", ""),
        acte_type=entry.get("acte_type", ""),
        answer=_answer(entry, catalogue),
    )


def _answer(entry: dict[str, Any], catalogue: Catalogue) -> Answer:
    match entry.get("outcome", "document"):
        case "document":
            return Found(_document(entry, catalogue))
        case "refusal":
            return Refusal(entry["sentence"], entry.get("boxed", False))
        case "similar":
            return SimilarList(tuple(_rows(entry, catalogue)))
        case "plans":
            notice = inactive_lot_with_plans(entry["number"]) if entry.get("inactive") else ""
            return PlanList(entry["number"], tuple(_rows(entry, catalogue)), notice)
        case other:
            raise ValueError(f"special.toml: {entry['name']}: '{other}' is no outcome")


def _rows(entry: dict[str, Any], catalogue: Catalogue) -> Sequence[Row]:
    rows = []
    for row in entry["rows"]:
        document = _document({**entry, **row}, catalogue)
        rows.append(
            _row(row.get("label", document.number), document.number, document, paper_only=row.get("paper_only", False))
        )
    return rows


def _row(label: str, number: str, document: Document, *, paper_only: bool = False) -> Row:
    return Row(label, number, document.acte_type, document.dated.isoformat(), None if paper_only else document)


def _document(entry: dict[str, Any], catalogue: Catalogue) -> Document:
    place = catalogue.named(entry["circonscription"])
    code = entry.get("cadastre", "")
    cadastre = place.cadastre(code) if code else None
    if code and cadastre is None:
        raise ValueError(f"special.toml: {entry['name']}: {place.name} has no cadastre {code}")
    return Document(
        source=Source(entry["source"]),
        number=entry["number"],
        circonscription=place.name,
        cadastre=cadastre.name if cadastre else "",
        cadastre_code=cadastre.code if cadastre else "",
        designation=entry.get("designation", ""),
        acte_type=entry.get("acte_type", ""),
        dated=entry.get("dated", DEFAULT_DATE),
        pages=entry.get("pages", 1),
        large=entry.get("large", False),
        save_link=SaveLink(entry.get("save_link", "title")),
        loading_seconds=entry.get("loading_seconds"),
    )
