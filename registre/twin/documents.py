"""A search as the forms send it, and the documents and lists that can answer it.

Invariant: a document's facts come from the seed or from the special cases, never from chance; equal documents are equal
values, so they can key a cache.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from registre.document import RENOVATED_LOT_FROM, Source
from registre.twin.catalogue import Cadastre, Circonscription

SOURCE_NAMES = {Source.INDEX: "Index des immeubles", Source.ACTE: "Acte", Source.PLAN: "Plan cadastral"}

ACTE_TYPES = {"ACTE": "Acte", "AVIS": "Avis d'adresse", "RADI": "Radiation", "DIVR": "Acte divers"}
"""Values and names of `selTypeDocmn`."""


class SaveLink(StrEnum):
    """How the viewer's menu marks its save link; the real site's versions are all attested."""

    TITLE = "title"
    HREF = "href"
    MOUSEUP = "mouseup"
    TEXT = "text"


def grouped(number: str) -> str:
    """`'2784195'` → `'2 784 195'`; anything but digits only is left alone."""
    return f"{int(number):,}".replace(",", " ") if re.fullmatch(r"[1-9][0-9]{3,}", number) else number


def is_renovated(number: str) -> bool:
    return re.fullmatch(r"[0-9]{7,12}", number) is not None and int(number) >= RENOVATED_LOT_FROM


@dataclass(frozen=True, slots=True)
class Query:
    """One submitted form: the number normalised, the places as found in the catalogue (None: left blank)."""

    source: Source
    number: str
    circonscription: Circonscription | None = None
    cadastre: Cadastre | None = None
    designation: str = ""
    acte_type: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One document on sale. `large` weighs several hundred KB; `loading_seconds` None means the twin's own delay."""

    source: Source
    number: str
    circonscription: str
    cadastre: str
    cadastre_code: str
    designation: str
    acte_type: str
    dated: date
    pages: int = 1
    large: bool = False
    save_link: SaveLink = SaveLink.TITLE
    loading_seconds: float | None = None

    @property
    def needs_confirmation(self) -> bool:
        """Plans, and large files of any source, are confirmed before they are shown."""
        return self.large or self.source is Source.PLAN

    @property
    def is_html(self) -> bool:
        """An index of a renovated lot is shown as HTML, and still saved as PDF."""
        return self.source is Source.INDEX and self.cadastre_code == "000001"

    @property
    def title(self) -> str:
        kind = self.acte_type if self.source is Source.ACTE else SOURCE_NAMES[self.source]
        return f"{kind} {grouped(self.number)}"


@dataclass(frozen=True, slots=True)
class Row:
    """One radio of a list. Without a document the row is kept on paper only."""

    label: str
    number: str
    acte_type: str
    dated: str
    document: Document | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The site's sentence; `boxed` picks the markup: `table.Cadre` with its image, or `td.contValErr` in the form."""

    sentence: str
    boxed: bool = False


@dataclass(frozen=True, slots=True)
class SimilarList:
    """Actes whose number resembles the one asked for; the exact one may or may not be among them."""

    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class PlanList:
    """Several plans, in no order; `notice` is what the page says above them."""

    number: str
    rows: tuple[Row, ...]
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Exactly one document."""

    document: Document


Answer = Refusal | SimilarList | PlanList | Found
