"""What is asked of the registry: source, number, place; and the names that follow from them.

Invariant: a number is normalised, never guessed at; two orders with equal identity keys ask for the same document.
The database computes the same number and key for rows other programs insert (`sql/01_fold.sql`); a test compares both.
"""

from __future__ import annotations

import hashlib
import re
import string
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anyascii import anyascii

from registre.errors import InvalidInput

RENOVATED_LOT_FROM = 1_000_000
"""Lots from this number on exist only in the Cadastre du Québec and identify themselves."""

CADASTRE_DU_QUEBEC = "Cadastre du Québec"
MAX_TEXT = 200
MAX_NUMBER = 30

_NUMBER = re.compile(r"[0-9A-Z]+(-[0-9A-Z]+)*")
_ACTE_NUMBER = re.compile(r"[A-Z]{0,2}-?[0-9]{1,8}(-[0-9]{1,4})?")
_PLAN_COMPLEMENTAIRE = re.compile(r"PC-[0-9]+")
_SPACES = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
_TYPED = str.maketrans(
    {
        **dict.fromkeys(_SPACES),
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict(zip(string.ascii_lowercase, string.ascii_uppercase, strict=True)),
    }
)
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
"""Unicode's blocks of combining marks for Latin; the database removes the same."""


class Source(StrEnum):
    """`extraction_queue.document_source`."""

    ACTE = "acte"
    INDEX = "index"
    PLAN = "plan_cadastraux"


BUCKETS = {Source.ACTE: "actes", Source.INDEX: "index", Source.PLAN: "plans-cadastraux"}

ACTE_TYPES = ("Acte", "Avis d'adresse", "Radiation", "Acte divers")


def normalize_number(text: str) -> str:
    """Remove every kind of space, upper-case a to z, make every dash a hyphen. `'2 784 195'` → `'2784195'`.

    Other letters stay as they are: `'24ß'` is no lot, and must not become `24SS`, which may be one.
    """
    return text.translate(_TYPED)


def fold(text: str) -> str:
    """Compare-key of a name: no accents, no case, words of letters and digits joined by one space.

    Letters that Unicode does not decompose to a to z separate words, as in the database.
    """
    decomposed = unicodedata.normalize("NFKD", text.replace("Œ", "OE").replace("œ", "oe"))
    return " ".join(re.findall(r"[a-z0-9]+", _MARKS.sub("", decomposed).lower()))


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """One document, as ordered. Texts are the requester's own; `number_normalized` is what is typed into the form."""

    source: Source
    number: str
    circonscription: str = ""
    cadastre: str = ""
    designation: str = ""
    acte_type: str = ""

    @property
    def number_normalized(self) -> str:
        return normalize_number(self.number)

    @property
    def is_renovated_lot(self) -> bool:
        """True for a lot of the Cadastre du Québec (1 000 000 and above), which needs no circonscription or cadastre."""
        number = self.number_normalized
        return (
            self.source is not Source.ACTE
            and number.isascii()
            and number.isdigit()
            and int(number) >= RENOVATED_LOT_FROM
        )

    def validate(self) -> DocumentRequest:
        """Return self, or raise InvalidInput naming the first field a person must mend."""
        if self.source not in set(Source):
            raise InvalidInput(
                "document_source", f"'{self.source}' is unknown; one of {', '.join(Source)} is expected."
            )
        for field, text in self._texts():
            limit = MAX_NUMBER if field == "document_number" else MAX_TEXT
            if len(text) > limit:
                raise InvalidInput(field, f"{len(text)} characters are too many; at most {limit} are accepted.")
            if any(unicodedata.category(c) in {"Cc", "Cs"} for c in text.strip()):
                raise InvalidInput(field, "control characters and broken text are not accepted.")
        number = self.number_normalized
        if not number:
            raise InvalidInput("document_number", "a number is required.")
        if self.source is Source.ACTE:
            self._validate_acte(number)
        else:
            self._validate_lot(number)
        return self

    def _texts(self) -> tuple[tuple[str, str], ...]:
        return (
            ("document_number", self.number),
            ("circonscription_fonciere", self.circonscription),
            ("cadastre", self.cadastre),
            ("designation_secondaire", self.designation),
            ("acte_type", self.acte_type),
        )

    def _validate_acte(self, number: str) -> None:
        if not _ACTE_NUMBER.fullmatch(number):
            raise InvalidInput(
                "document_number", f"'{self.number}' is not the number of an acte (up to 8 digits, such as 25 616 321)."
            )
        if not self.circonscription.strip():
            raise InvalidInput(
                "circonscription_fonciere", "an acte's number is unique only within its circonscription; give one."
            )
        if not self.acte_type.strip():
            raise InvalidInput("acte_type", f"an acte needs its type: {', '.join(ACTE_TYPES)}.")

    def _validate_lot(self, number: str) -> None:
        if not (_NUMBER.fullmatch(number) and any(c.isdigit() for c in number)):
            raise InvalidInput(
                "document_number", f"'{self.number}' is not a lot number (such as 2 784 195, 24A, 399-184 or PC-12345)."
            )
        if not self.cadastre.strip():
            raise InvalidInput(
                "cadastre",
                f"an order of {self.source} needs its cadastre (for a lot of 1 000 000 and above: {CADASTRE_DU_QUEBEC}).",
            )
        if not self.is_renovated_lot and not self.circonscription.strip():
            raise InvalidInput(
                "circonscription_fonciere", "a lot below 1 000 000 exists only within its circonscription; give one."
            )

    @property
    def identity_key(self) -> str:
        """Key under which this document is owned: source, number, place and type, folded, joined by `|`.

        A renovated lot identifies itself, so its place is left out: one spelled with and one without are one document.
        """
        place: tuple[str, ...] = (
            ("", "000001", "")
            if self.is_renovated_lot
            else (
                fold(self.circonscription),
                "" if self.source is Source.ACTE else fold(self.cadastre),
                "" if self.source is Source.ACTE else fold(self.designation),
            )
        )
        kind = fold(self.acte_type) if self.source is Source.ACTE else ""
        return "|".join((self.source, self.number_normalized, *place, kind))

    @property
    def title(self) -> str:
        """How people name it: `index 2 784 195 (Montréal, Cadastre du Québec)`."""
        place = ", ".join(
            t for t in (self.acte_type, self.circonscription, self.cadastre, self.designation) if t.strip()
        )
        return f"{self.source} {self.number}" + (f" ({place})" if place else "")

    def object_key(self, purchased_at: datetime) -> str:
        """Name in its bucket: ASCII, no separator, the same for every upload of one purchase (its instant, UTC, in ms)."""
        parts = [self.number_normalized, self.circonscription or "Quebec"]
        if self.source is not Source.ACTE:
            parts.append(self.cadastre)
        stamp = str(int(purchased_at.timestamp() * 1000))
        return "-".join([*(_ascii_name(p) for p in parts), stamp]) + ".pdf"


def _ascii_name(text: str) -> str:
    """`'Montréal'` → `'Montreal'`; anything but letters, digits, dot, dash and underscore becomes `_`."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", anyascii(unicodedata.normalize("NFC", text))).strip("._")
    if not plain:
        return hashlib.sha256(text.encode()).hexdigest()[:8] if text else "-"
    return plain[:80]
