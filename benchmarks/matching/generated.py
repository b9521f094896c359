"""Pairs made from the twin's circonscriptions and cadastres, in ways that leave their right answer known.

Invariant: a pair's `expected` follows from how it was made, never from what matching says; equal seeds make equal pairs.
A misspelling may be refused; it may not become another option. A name whose option was taken away must be refused.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from anyascii import anyascii

from benchmarks.matching.pairs import Pair
from registre.matching import Field, Option
from registre.twin.catalogue import load_catalogue

SAMPLE_EVERY = 12
"""Of the misspellings at every position, so many are left out that the benchmark stays a matter of seconds."""

_SCANNED = (
    ("rn", "m"),
    ("m", "rn"),
    ("l", "1"),
    ("i", "l"),
    ("o", "0"),
    ("e", "c"),
    ("u", "v"),
    ("é", "6"),
    ("s", "5"),
)
_LETTERS = "aeiourstlnmcdp"

_WRITINGS = (
    ("in capitals without accents", lambda name: anyascii(name).upper()),
    ("with spaces for hyphens", lambda name: name.replace("-", " ")),
    ("padded", lambda name: f" \u00a0{name.replace(' ', '  ')}  "),
    ("with St and Ste", lambda name: re.sub(r"\bSaint(e?)-", r"St\1-", name)),
    ("with St. and Ste.", lambda name: re.sub(r"\bSaint(e?)-", r"St\1. ", name)),
    ("with typographic marks", lambda name: name.replace("'", "’").replace("-", "‑")),
)
_OF_CIRCONSCRIPTIONS = (
    ("under its full title", "circonscription foncière de {}"),
    ("with its title behind", "{} (circonscription foncière)"),
    ("with its bureau", "Bureau de la publicité des droits de {}"),
    ("with the province", "{}, Québec"),
    ("with its code", "{code} - {}"),
)
_OF_CADASTRES = (
    ("under its full title", "cadastre de la {}"),
    ("with its code", "{code} - {}"),
    ("code behind", "{} ({code})"),
)
_SHORT_TYPES = {
    "Paroisse de ": "Par. ",
    "Canton de ": "Cant. ",
    "Ville de ": "ville ",
    "Village de ": "Vge ",
    "Cité de ": "Cité ",
}
_TYPES = (*_SHORT_TYPES, "Municipalité de ")


def generate(*, seed: int = 7, every: int = SAMPLE_EVERY) -> Iterator[Pair]:
    """All pairs; one in `every` of the misspellings and of the absent names."""
    rng = random.Random(seed)
    number = 0
    for field, options in _lists():
        real = [option for option in options if option.label.strip() and option.value != "000001"]
        for option in real:
            for category, text in _written(field, option, real):
                number += 1
                yield Pair(number, field, text, tuple(options), option.value, category)
            without = tuple(o for o in options if o != option)
            for kind, text in _misspelt(option.label, rng):
                number += 1
                if number % every == 0:
                    yield Pair(number, field, text, tuple(options), option.value, f"misspelt: {kind}")
                    yield Pair(number, field, text, without, None, "misspelt, and absent")
            for category, text in _absent(field, option, real):
                number += 1
                yield Pair(number, field, text, without, None, category)


def _lists() -> Iterator[tuple[Field, list[Option]]]:
    catalogue = load_catalogue()
    yield Field.CIRCONSCRIPTION, [Option("", " "), *(Option(c.code, c.name) for c in catalogue.circonscriptions)]
    for place in catalogue.circonscriptions:
        old = [Option(c.code, c.name) for c in place.cadastres if c.code != "000001"]
        yield Field.CADASTRE, [Option("000000", " "), Option("000001", "Cadastre du Québec"), *old]


def _written(field: Field, option: Option, real: Sequence[Option]) -> Iterator[tuple[str, str]]:
    label = option.label
    for category, write in _WRITINGS:
        yield f"written {category}", write(label)
    titles = _OF_CIRCONSCRIPTIONS if field is Field.CIRCONSCRIPTION else _OF_CADASTRES
    for category, title in titles:
        yield f"written {category}", title.format(label, code=option.value)
    if field is Field.CIRCONSCRIPTION:
        return
    kind = next((kind for kind in _SHORT_TYPES if label.startswith(kind)), None)
    if kind is None or "(" in label:
        return
    name = label.removeprefix(kind)
    yield "type word short", _SHORT_TYPES[kind] + name
    yield "type word behind", f"{name}, {kind.strip().lower()}"
    yield "type word in parentheses", f"{name} ({kind.split()[0].lower()})"


def _misspelt(label: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """A slip at every letter; those in sides, numbers and wards too, which nothing may mend into another option."""
    for i, letter in enumerate(label):
        if not letter.isalpha():
            continue
        before, after = label[:i], label[i + 1 :]
        yield "letter left out", before + after
        yield "letter doubled", before + letter + letter + after
        yield "letter put in", before + rng.choice(_LETTERS) + letter + after
        yield "other letter", before + rng.choice(_LETTERS) + after
        if after[:1].isalpha() and after[0] != letter:
            yield "letters swapped", before + after[0] + letter + after[1:]
    for seen, meant in _SCANNED:
        for found in re.finditer(seen, label):
            yield "misread by a scanner", label[: found.start()] + meant + label[found.end() :]


def _absent(field: Field, option: Option, real: Sequence[Option]) -> Iterator[tuple[str, str]]:
    """The name itself, its option gone; and its name with the types that no option there has."""
    yield "absent", option.label
    if field is Field.CIRCONSCRIPTION:
        return
    kind = next((kind for kind in _TYPES if option.label.startswith(kind)), None)
    if kind is None:
        return
    name = option.label.removeprefix(kind)
    offered = {o.label for o in real}
    for other in _TYPES:
        if other + name not in offered:
            yield "another type", other + name
