"""What the registry answers to a search: the special cases first, then what the seed says.

Invariant: pure and deterministic; the same seed and query give the same answer, and at least 95 % of plausible requests
find their document. A generic lot or acte exists wherever it is asked for, so a random order usually succeeds.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date, timedelta

from registre.document import Source
from registre.twin.catalogue import CADASTRE_DU_QUEBEC, RENOVATED_CADASTRE, Catalogue, load_catalogue
from registre.twin.documents import (
    ACTE_TYPES,
    Answer,
    Document,
    Found,
    PlanList,
    Query,
    Refusal,
    Row,
    SimilarList,
    grouped,
    is_renovated,
)
from registre.twin.sentences import (
    BAD_NUMBER,
    MISSING_CADASTRE,
    MISSING_CIRCONSCRIPTION,
    MISSING_NUMBER,
    MISSING_TYPE,
    NO_ACTE,
    NO_INDEX,
    NO_MATCH,
    WRONG_CIRCONSCRIPTION,
)
from registre.twin.special import load_special_cases

_LOT = re.compile(r"[0-9]+[A-Z]?(-[0-9A-Z]+)*")
_PLAN_COMPLEMENTAIRE = re.compile(r"PC-[0-9]+")
_ACTE = re.compile(r"[A-Z]{0,2}-?[0-9]{1,8}(-[0-9]{1,4})?")
_FIRST_DAY = date(1985, 1, 7)


class Registry:
    """The registry of one seed."""

    def __init__(self, seed: int, catalogue: Catalogue | None = None) -> None:
        self.seed = seed
        self.catalogue = catalogue or load_catalogue()
        self._special = load_special_cases()

    def search(self, query: Query) -> Answer:
        """What the site shows after the form is submitted."""
        refusal = _incomplete_acte(query) if query.source is Source.ACTE else _incomplete_lot(query)
        if refusal:
            return refusal
        for case in self._special:
            if case.meets(query):
                return case.answer_to(query)
        match query.source:
            case Source.ACTE:
                return self._acte(query)
            case Source.INDEX:
                return self._index(query)
            case Source.PLAN:
                return self._plan(query)

    def _index(self, query: Query) -> Answer:
        if _PLAN_COMPLEMENTAIRE.fullmatch(query.number):
            return NO_INDEX
        roll = self._roll(query, "exists") % 100
        if roll == 0:
            return NO_INDEX
        if roll <= 2 and query.circonscription is not None:
            return WRONG_CIRCONSCRIPTION if is_renovated(query.number) else NO_MATCH
        return Found(self._document(query, "index"))

    def _plan(self, query: Query) -> Answer:
        roll = self._roll(query, "exists") % 100
        if roll <= 2:
            return NO_MATCH
        if roll > 8:
            return Found(self._document(query, "plan"))
        rows = []
        for version in range(2 + roll % 3):
            document = self._document(query, f"plan {version}")
            label = f"Lot {grouped(query.number)} - plan déposé le {document.dated.isoformat()}"
            rows.append(Row(label, query.number, "", document.dated.isoformat(), document))
        return PlanList(query.number, tuple(rows))

    def _acte(self, query: Query) -> Answer:
        roll = self._roll(query, "exists") % 100
        if roll <= 1:
            return NO_ACTE
        exact = self._document(query, "acte")
        if roll > 6:
            return Found(exact)
        rows = [self._near_acte(query, i) for i in range(2 + roll % 3)]
        if roll > 3:
            rows.insert(1, Row(query.number, query.number, query.acte_type, exact.dated.isoformat(), exact))
        return SimilarList(tuple(rows))

    def _near_acte(self, query: Query, i: int) -> Row:
        """A row beside the one asked for: a neighbouring number, or the same number under another type."""
        types = list(ACTE_TYPES.values())
        kind = types[(types.index(query.acte_type) + i) % len(types)]
        prefix, digits = re.fullmatch(r"(.*?)([0-9]+)", query.number).groups()  # type: ignore[union-attr]
        number = query.number if i % 2 else f"{prefix}{int(digits) + 1 + i}"
        near = self._document(Query(Source.ACTE, number, query.circonscription, acte_type=kind), "near")
        return Row(number, number, kind, near.dated.isoformat(), near)

    def _document(self, query: Query, purpose: str) -> Document:
        place = query.circonscription
        if place is None:
            circonscriptions = self.catalogue.circonscriptions
            place = circonscriptions[self._roll(query, "home") % len(circonscriptions)]
        cadastre = None if query.source is Source.ACTE else (query.cadastre or CADASTRE_DU_QUEBEC)
        roll = self._roll(query, purpose)
        return Document(
            source=query.source,
            number=query.number,
            circonscription=place.name,
            cadastre=cadastre.name if cadastre else "",
            cadastre_code=cadastre.code if cadastre else "",
            designation=query.designation,
            acte_type=query.acte_type,
            dated=_FIRST_DAY + timedelta(days=roll % 14000),
            pages=1 + roll // 14000 % 4,
        )

    def _roll(self, query: Query, purpose: str) -> int:
        place = query.circonscription.code if query.circonscription else ""
        cadastre = query.cadastre.code if query.cadastre else ""
        facts = (
            str(self.seed),
            query.source,
            query.number,
            place,
            cadastre,
            query.designation,
            query.acte_type,
            purpose,
        )
        return int.from_bytes(hashlib.sha256("|".join(facts).encode()).digest()[:6])


def _incomplete_acte(query: Query) -> Refusal | None:
    if query.circonscription is None:
        return MISSING_CIRCONSCRIPTION
    if query.acte_type not in ACTE_TYPES.values():
        return MISSING_TYPE
    if not query.number:
        return MISSING_NUMBER
    return None if _ACTE.fullmatch(query.number) else BAD_NUMBER


def _incomplete_lot(query: Query) -> Refusal | None:
    if not query.number:
        return MISSING_NUMBER
    if _PLAN_COMPLEMENTAIRE.fullmatch(query.number):
        return MISSING_CIRCONSCRIPTION if query.circonscription is None else _missing_cadastre(query)
    if not _LOT.fullmatch(query.number):
        return BAD_NUMBER
    if is_renovated(query.number):
        return _missing_cadastre(query) or (None if query.cadastre == CADASTRE_DU_QUEBEC else NO_MATCH)
    if query.circonscription is None:
        return MISSING_CIRCONSCRIPTION
    if query.cadastre and query.cadastre.code == RENOVATED_CADASTRE:
        return NO_MATCH
    return _missing_cadastre(query)


def _missing_cadastre(query: Query) -> Refusal | None:
    return None if query.cadastre else MISSING_CADASTRE
