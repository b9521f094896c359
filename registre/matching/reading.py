"""Read a name into its parts: type word, proper name, numbers, sides, ward.

Invariant: reading never loses a part that tells two options apart; a text that can be read two ways (words turned
round, an alias in parentheses) yields both readings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

from registre.document import fold
from registre.matching.lexicon import saints, vocabulary
from registre.matching.model import Field
from registre.matching.words import (
    ABBREVIATIONS,
    COUNTED,
    ENGLISH_SIDES,
    JOINING,
    KINDS,
    LEADS_ANOTHER_TYPE,
    NAMES_LIKE_TYPES,
    SAINTS,
    SIDE_LETTERS,
    SIDES,
    SMALL,
    TYPES,
    WARD,
    numeral,
    roman,
)

Segments = tuple[tuple[str, ...], ...]

_LETTERS = ("Lu", "Ll", "Lt", "Lo")
_BREAKS = re.compile(r"[,;:()\[\]/]| [-‐‑‒–—−] ")
_GLUED_SAINT = re.compile(r"\b([Ss][Tt][Ee]?)(?=[A-ZÀ-Þ][a-zß-ÿ])")
_NUMBER_SIGN = re.compile(r"\b[nN] ?[°º]\s*(?=[0-9IVXivx])")
_GLUED_NUMBER = re.compile(r"([a-z]{3,})([0-9]{1,2})")
_CIRCONSCRIPTION = re.compile(
    r"^(?:la )?"
    r"(?:(?:circonscription|circ|cf|c f|bpf|division d enregistrement)(?: fonciere| fonc)?"
    r"|bureau (?:de la publicite (?:des droits|fonciere)|d enregistrement)(?: de la circonscription fonciere)?)"
    r"(?: de(?! montagnes)| d| du| des)?\s"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a name. `words` keep their small words; `ward` is None when no ward is named."""

    types: tuple[str, ...]
    words: tuple[str, ...]
    numbers: tuple[str, ...]
    sides: tuple[str, ...]
    ward: tuple[str, ...] | None
    core: tuple[str, ...] = field(init=False)
    """The words that are not small."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "core", tuple(word for word in self.words if word not in SMALL))


def visible(text: str) -> str:
    """The text without characters nobody sees (soft hyphens, zero-width spaces, byte-order marks)."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf")


def has_foreign_letters(text: str) -> bool:
    """True when folding would drop a letter: such a text is not the name it seems to be."""
    return any(unicodedata.category(c) in _LETTERS and not fold(c) for c in text)


@lru_cache(maxsize=16384)
def split(text: str, into: Field) -> Segments:
    """Folded words with their abbreviations written out, in the pieces that commas and parentheses make."""
    pieces = _BREAKS.split(_GLUED_SAINT.sub(r"\1 ", _NUMBER_SIGN.sub(" ", visible(text))))
    segments = [words for piece in pieces if (words := _words(piece, into))]
    if into is Field.CIRCONSCRIPTION and len(segments) > 1 and segments[-1] in (("quebec",), ("canada",)):
        segments.pop()
    return tuple(segments)


def _words(piece: str, into: Field) -> tuple[str, ...]:
    folded = fold(piece)
    if into is Field.CIRCONSCRIPTION:
        folded = _CIRCONSCRIPTION.sub("", folded + " ").strip()
    raw = folded.split()
    words: list[str] = []
    skip = False
    for word, following in pairwise([*raw, ""]):
        if skip:
            skip = False
        elif (word, following) == ("n", "d"):
            words += ["notre", "dame"]
            skip = True
        elif unglued := _unglue(word):
            words += unglued
        elif word in ABBREVIATIONS:
            words += ABBREVIATIONS[word]
        elif word in ("no", "num", "numero") and numeral(following):
            continue
        elif into is Field.DESIGNATION and (glued := _GLUED_NUMBER.fullmatch(word)) and glued[1] in KINDS:
            words += glued.groups()
        else:
            words.append(word)
    return tuple(words)


def _unglue(word: str) -> tuple[str, str] | None:
    """`sthyacinthe` → `saint hyacinthe`, `saintemarie` → `sainte marie`; None when no known given name is left."""
    for prefix, marker in (("sainte", "sainte"), ("saint", "saint"), ("ste", "sainte"), ("st", "saint")):
        rest = word.removeprefix(prefix)
        if rest != word and len(rest) > 2 and rest in saints(marker) and word not in vocabulary():
            return marker, rest
    return None


def change(segments: Segments, corrections: Mapping[str, str]) -> Segments:
    """The same pieces with some words replaced."""
    return tuple(tuple(corrections.get(word, word) for word in segment) for segment in segments)


@lru_cache(maxsize=16384)
def read(segments: Segments) -> tuple[Reading, ...]:
    """Every way to read a circonscription's or a cadastre's name; the order carries no preference."""
    types: tuple[str, ...] = ()
    ward: tuple[str, ...] | None = None
    names: list[tuple[str, ...]] = []
    for segment in (part for whole in segments for part in _cut_at_ward(whole)):
        found = _read_ward(segment)
        if found is not None:
            if not found and names:
                found = tuple(word for word in names.pop() if word not in SMALL)
            if ward is not None and ward != found:
                return ()
            ward = found
            continue
        heads, name = _read_types(segment)
        if heads and types and heads != types:
            return ()
        types = heads or types
        if name:
            names.append(name)
    types = _without_cadastre(types, names)
    return tuple(replace(_read_name(words), types=types, ward=ward) for words in _orders(names))


def _cut_at_ward(segment: tuple[str, ...]) -> list[tuple[str, ...]]:
    """`montreal quartier sainte marie` → the city, the ward; `quartier saint louis de la cite de quebec` likewise."""
    start = next((i for i, word in enumerate(segment) if word in WARD), None)
    if start is None:
        return [segment]
    if start == len(segment) - 1 and start:
        return [(segment[start], *segment[:start])]
    parts = [segment[:start]] if start else []
    ward = segment[start:]
    city = next((i for i, word in enumerate(ward) if i > 1 and word in TYPES and ward[i - 1] in SMALL), None)
    return [*parts, ward] if city is None else [*parts, ward[:city], ward[city:]]


def _read_ward(segment: tuple[str, ...]) -> tuple[str, ...] | None:
    if segment[0] not in WARD:
        return None
    words = [word for word in segment[1:] if word not in SMALL]
    if len(words) == 1 and (number := numeral(words[0])):
        return (number,)
    return tuple(words)


def _read_types(segment: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Type words at either end, and the rest."""
    heads: list[str] = []
    rest = segment
    while (
        rest
        and rest[0] in TYPES
        and rest[:2] not in NAMES_LIKE_TYPES
        and (not heads or heads[-1] in LEADS_ANOTHER_TYPE)
    ):
        heads.append(TYPES[rest[0]])
        rest = rest[1:]
        if heads[-1] == "cadastre" and rest[:1] in (("officiel",), ("off",)):
            rest = rest[1:]
        if rest and rest[0] in JOINING:
            rest = rest[1:]
        if heads[-1] in LEADS_ANOTHER_TYPE and rest[:1] in (("la",), ("l",)) and rest[1:2] and rest[1] in TYPES:
            rest = rest[1:]
    if heads:
        return tuple(heads), rest
    trimmed = segment
    while trimmed and trimmed[-1] in (*JOINING, "la", "l"):
        trimmed = trimmed[:-1]
    if len(trimmed) > 1 and trimmed[-1] in TYPES and trimmed[-2:] not in NAMES_LIKE_TYPES and trimmed[-2] not in SMALL:
        return (TYPES[trimmed[-1]],), trimmed[:-1]
    return (), segment


def _without_cadastre(types: tuple[str, ...], names: list[tuple[str, ...]]) -> tuple[str, ...]:
    """`Cadastre de la Paroisse de …` says no more than its paroisse; only `Cadastre du Québec` is a name of its own."""
    if types[:1] != ("cadastre",) or (len(types) == 1 and names == [("quebec",)]):
        return types
    return types[1:]


def _orders(names: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The pieces as written and turned round; `nicolet (nicolet 2)` is Nicolet and Nicolet 2."""
    if len(names) == 2:
        first, second = names
        if second[: len(first)] == first and len(second) == len(first) + 1 and numeral(second[-1]):
            return [second, first]
    forward = tuple(word for name in names for word in name)
    backward = tuple(word for name in reversed(names) for word in name)
    return [forward] if forward == backward else [forward, backward]


def _read_name(words: tuple[str, ...]) -> Reading:
    kept: list[str] = []
    numbers: list[str] = []
    sides: list[str] = []
    last = len(words) - 1
    for i, word in enumerate(words):
        following = words[i + 1] if i < last else ""
        if (word, following) in COUNTED:
            kept.append(COUNTED[word, following])
        elif glued := _GLUED_NUMBER.fullmatch(word):
            kept.append(glued[1])
            numbers.append(str(int(glued[2])))
        elif any(c.isdigit() for c in word):
            numbers.append(numeral(word) or word)
        elif i == last and kept and (number := roman(word) or (numeral(word) if len(kept) == 1 else None)):
            numbers.append(number)
        elif word in SIDES:
            sides.append(ENGLISH_SIDES.get(word, word) if i == last else word)
        elif i == last and kept and word in SIDE_LETTERS and words[i - 1] not in SMALL:
            sides.append(SIDE_LETTERS[word])
        else:
            kept.append(word)
    return Reading((), tuple(kept), tuple(numbers), tuple(sides), None)


def given_names(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The pairs saint + given name in a name."""
    return tuple((a, b) for a, b in pairwise(words) if a in SAINTS)
