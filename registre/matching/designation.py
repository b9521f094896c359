"""Read a désignation secondaire: rang, bloc, quartier, partie, each with its number or name.

Invariant: numbers, letters and sides are compared whole; only the order of the pieces is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from registre.matching.reading import Segments
from registre.matching.words import KINDS, SIDE_LETTERS, SIDES, SMALL, TYPES, numeral, ordinal, rank

Piece = tuple[str, tuple[str, ...]]

_KINDS: Mapping[str, str] = {**TYPES, **KINDS}


@dataclass(frozen=True, slots=True)
class Designation:
    """The pieces in a fixed order, and the letters that may be roman numerals or just letters."""

    pieces: tuple[Piece, ...]
    letters: frozenset[str]


@lru_cache(maxsize=4096)
def read_designation(segments: Segments) -> Designation:
    """`2e rang`, `Rang II` and `rang deux` are all `(("rang", ("2",)),)`."""
    pieces: list[Piece] = []
    letters: set[str] = set()
    for segment in segments:
        pieces += _read_segment([word for word in segment if word not in SMALL or word == "a"], letters)
    for i, ((kind, words), following) in enumerate(pairwise(pieces)):
        if kind == "" and following[1] == ():
            pieces[i : i + 2] = [(following[0], words)]
            break
    return Designation(tuple(sorted(pieces)), frozenset(letters))


def _read_segment(words: list[str], letters: set[str]) -> list[Piece]:
    pieces: list[Piece] = []
    kind = ""
    held: list[str] = []
    for word in words:
        if word not in _KINDS:
            held.append(word)
            continue
        if kind or not held:
            if kind or held:
                pieces.append(_piece(kind, held, letters))
            kind, held = _KINDS[word], []
        elif len(held) == 1 and (number := ordinal(held[0]) or numeral(held[0])):
            kind, held = _KINDS[word], [number]
        else:
            pieces.append(_piece("", held, letters))
            kind, held = _KINDS[word], []
    if kind or held:
        pieces.append(_piece(kind, held, letters))
    return pieces


def _piece(kind: str, words: list[str], letters: set[str]) -> Piece:
    read: list[str] = []
    for i, word in enumerate(words):
        half_a_side = word in "ns" and words[i + 1 : i + 2] in (["e"], ["o"], ["w"])
        if half_a_side or (kind == "partie" and word in SIDE_LETTERS and len(words) == 1):
            read.append(SIDE_LETTERS[word])
        elif i == 0 and len(word) == 1 and word.isalpha():
            letters.add(word)
            read.append(numeral(word) or word)
        elif i == 0 and (number := rank(word) if ordinal(word) else numeral(word)):
            read.append(number)
        elif word in SIDE_LETTERS and read and (read[-1].isdigit() or read[-1] in SIDES):
            read.append(SIDE_LETTERS[word])
        else:
            read.append(word)
    return kind, tuple(read)
