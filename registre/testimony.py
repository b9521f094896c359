"""What a document's text says of itself, and whether that contradicts an order.

Invariant: only what the text surely says counts: a number that stands alone, a fact on a line of its own after its label,
a title at the top. A text that names no number at all, or says nothing of a fact, contradicts nothing.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from itertools import islice

from registre.document import ACTE_TYPES, DocumentRequest, Source, fold, normalize_number
from registre.matching import Field, Option, match

TITLE_LINES = 12
"""A document's title is among the first lines of its first page."""

MAX_LINE = 200
"""Longer than any fact; what backtracks is never given more."""

_GAP = "[ \u00a0\u2007\u2009\u202f]"
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))
_WHOLE_GROUPS = re.compile(rf"[0-9]{{1,3}}(?:{_GAP}[0-9]{{3}})*")
_GROUPS_BEFORE = re.compile(rf"(?<![0-9A-Z])[0-9]{{1,3}}(?:{_GAP}[0-9]{{3}})*{_GAP}\Z")
_GROUP_AFTER = re.compile(rf"{_GAP}[0-9]{{3}}(?![0-9])")
_LONGEST_GROUPED = 20

_LABELLED = re.compile(r"\s*([A-Za-zÀ-ÿ’' ]{3,40}?)\s*:\s*(\S.{0,120}?)\s*")
_OWN_NUMBER = {
    Source.ACTE: frozenset(("numero d inscription", "numero de l acte", "numero du document", "no d inscription")),
    Source.INDEX: frozenset(("numero de lot", "numero du lot", "lot", "no de lot", "lot numero")),
}
_OWN_NUMBER[Source.PLAN] = _OWN_NUMBER[Source.INDEX]
_SOURCE_LABELS = frozenset(("source", "type de document", "nature du document", "genre de document"))
_TITLES = {"index des immeubles": Source.INDEX, "plan cadastral": Source.PLAN, "plans cadastraux": Source.PLAN}
_NAMES = {**_TITLES, **{fold(kind): Source.ACTE for kind in ACTE_TYPES}}
_NUMBER_VALUE = re.compile(rf"(?:[0-9]{{1,3}}(?:{_GAP}[0-9]{{3}})+|[A-Z]{{0,2}}-?[0-9]+(?:-?[0-9A-Z]+)*)(?![0-9A-Z])")
_NUMBERED = re.compile(
    r"\b(?:LOT|LOTS|NUM[ÉE]RO|NO|N[°º]|INSCRIPTION|ACTE|DOCUMENT|PLAN)\b[\s:.#°º-]{1,4}(?:DE |DU |LOT )?[A-Z]{0,2}-?[0-9]"
)
_NUMBERED_ACTE = re.compile(
    r"\b(?:NUM[ÉE]RO|NO|N[°º]|INSCRIPTION|ACTE|DOCUMENT)\b[\s:.#°º-]{1,4}(?:NUM[ÉE]RO )?[A-Z]{0,2}-?[0-9]"
)
_LONG_NUMBER = re.compile(rf"(?<![0-9])(?:[0-9]{{5,}}|[0-9]{{1,3}}(?:{_GAP}[0-9]{{3}})+)(?![0-9])")


def contradiction(request: DocumentRequest, pages: list[str], title: str = "") -> str | None:
    """Why this text is another document's, as the end of a sentence; None when it may be the one asked for.

    `pages` are the texts of the first pages, `title` the one in the file's properties.
    """
    text = "\n".join(pages).translate(_DASHES).upper()
    facts = list(_facts(pages[0] if pages else ""))
    number = request.number_normalized
    labelled = [value for label, value in facts if label in _OWN_NUMBER[request.source]]
    own = [normalize_number(found[0]) for value in labelled if (found := _NUMBER_VALUE.match(value.upper()))]
    if own and number not in own and not _is_entitled(pages, number):
        return f"its number is {own[0][:30]}, not {request.number}"
    if not names_number(text, number) and _names_another(text, request.source):
        return f"it does not name {request.number}"
    return _other_source(request, facts, pages, title) or _other_place(request, facts) or _other_type(request, facts)


def names_number(text: str, number: str) -> bool:
    """True when the number stands in the text by itself: `784195` is not in `2 784 195`, nor `2784195` in `12784195`.

    Its characters may be set apart by the odd spacing of a page, its thousands also by a line's end. `text` is in capitals.
    """
    gaps = [r"\s{0,2}" if _between_thousands(number, at) else f"{_GAP}?" for at in range(1, len(number))]
    spaced = re.escape(number[0]) + "".join(gap + re.escape(c) for gap, c in zip(gaps, number[1:], strict=True))
    return any(_stands_alone(text, found.start(), found.end()) for found in re.finditer(spaced, text))


def _between_thousands(number: str, at: int) -> bool:
    return number.isdigit() and (len(number) - at) % 3 == 0


def _stands_alone(text: str, start: int, end: int) -> bool:
    written = text[start:end]
    before, after = text[max(0, start - _LONGEST_GROUPED) : start], text[end : end + 5]
    if re.search(r"[0-9A-Z]-?\Z|[0-9][.,]\Z", before) or re.match(r"-?[0-9A-Z]|[.,][0-9]", after):
        return False
    if not written[0].isdigit() or not written[-1].isdigit():
        return True
    continues = re.match(rf"[0-9]{{3}}(?:{_GAP}|\Z)", written) and _GROUPS_BEFORE.search(before)
    continued = _WHOLE_GROUPS.fullmatch(written) and _GROUP_AFTER.match(after)
    return not continues and not continued


def _names_another(text: str, source: Source) -> bool:
    """A deed is full of lots and sums; what numbers it is called an inscription, an acte or a document."""
    if source is Source.ACTE:
        return _NUMBERED_ACTE.search(text) is not None
    return _NUMBERED.search(text) is not None or _LONG_NUMBER.search(text) is not None


def _is_entitled(pages: list[str], number: str) -> bool:
    """The number stands in a title, alone or after the document's kind: then it is the document's own."""
    titles = (*_NAMES, "", "lot")
    return any(names_number(line, number) and _without_number(line) in titles for line in _top(pages).splitlines())


def _top(pages: list[str]) -> str:
    """The first lines of the first page, in capitals, without the facts."""
    lines = (line[:MAX_LINE] for line in (pages[0] if pages else "").splitlines() if line.strip())
    top = (line for line in islice(lines, TITLE_LINES) if not _LABELLED.fullmatch(line))
    return "\n".join(top).translate(_DASHES).upper()


def _facts(page: str) -> list[tuple[str, str]]:
    """Folded labels and their values: the lines that hold nothing but one `label : value`."""
    found = (_LABELLED.fullmatch(line) for line in page.splitlines() if len(line) <= MAX_LINE)
    return [(fold(fact[1]), fact[2]) for fact in found if fact]


def _other_source(request: DocumentRequest, facts: list[tuple[str, str]], pages: list[str], title: str) -> str | None:
    named = {_NAMES[fold(value)] for label, value in facts if label in _SOURCE_LABELS and fold(value) in _NAMES}
    if not named:
        lines = (*_top(pages).splitlines(), title)
        named = {_TITLES[without] for line in lines if (without := _without_number(line)) in _TITLES}
    if named and request.source not in named:
        return f"it is of {sorted(named)[0]}, not of {request.source}"
    return None


def _without_number(line: str) -> str:
    return re.sub(r"(?: (?:lot|numero|no))*(?: [0-9a-z]*[0-9][0-9a-z]*)*$", "", f" {fold(line)}").strip()


def _other_place(request: DocumentRequest, facts: list[tuple[str, str]]) -> str | None:
    asked = _known_place(request.circonscription)
    named = [
        place
        for label, value in facts
        if label in ("circonscription fonciere", "circonscription") and (place := _known_place(value))
    ]
    if asked and named and asked not in named:
        return f"it is of the circonscription {named[0]}, not {asked}"
    return None


def _other_type(request: DocumentRequest, facts: list[tuple[str, str]]) -> str | None:
    if request.source is not Source.ACTE:
        return None
    kinds = {fold(kind): kind for kind in ACTE_TYPES}
    asked = match(request.acte_type, [Option(kind, kind) for kind in ACTE_TYPES], Field.ACTE_TYPE).choice
    named = [kinds[fold(value)] for label, value in facts if label == "type de document" and fold(value) in kinds]
    if asked and named and asked.label not in named:
        return f"its type is {named[0]}, not {asked.label}"
    return None


def _known_place(text: str) -> str | None:
    """The circonscription a text surely names, as the known list writes it."""
    found = match(text[:120], circonscriptions(), Field.CIRCONSCRIPTION).choice
    return found.label if found else None


@cache
def circonscriptions() -> tuple[Option, ...]:
    """The known circonscriptions; their values are their names, because the site's are not known."""
    text = (files("registre.matching") / "circonscriptions.txt").read_text(encoding="utf-8")
    names = " ".join(line for line in text.splitlines() if not line.startswith("#")).split(",")
    return tuple(Option(name.strip(), name.strip()) for name in names if name.strip())
