"""One slip of the hand or of a scanner in one word, when every other word is the option's own.

Invariant: the slipped word is no word known anywhere, and no other known word is as near; numbers, sides and wards are
never touched.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, groupby

from rapidfuzz.distance import OSA

from registre.matching.lexicon import is_known, saints, vocabulary
from registre.matching.places import Found, Known
from registre.matching.reading import Segments
from registre.matching.words import COUNTED, NUMERALS, SAINTS, SIDES, SMALL, TYPES, WARD

_LOOKALIKES = (
    ("0", "o"),
    ("1", "l"),
    ("i", "l"),
    ("5", "s"),
    ("6", "e"),
    ("8", "b"),
    ("rn", "m"),
    ("cl", "d"),
    ("vv", "w"),
)
"""What a scanner takes for another letter; 6 stands for an accented e."""

_TYPE_WORDS = frozenset(TYPES.values()) | {"ile", "iles", "cte", "comte"}
"""What may stand in the place of a type; `cté` is a comté."""

_SHORT, _LONG = 5, 8
"""Below the first length a substituted letter makes another name; from the second on, not even another first letter does."""

Words = tuple[str, ...]


def find_slipped(segments: Segments, real: list[Known]) -> Found | None:
    """Options that differ from what was asked in one letter of one word; the type word may have been left out."""
    asked = _flat(segments)
    found: list[Known] = []
    told = ""
    for known in real:
        for words, fixed in _spellings(known.segments):
            if (at := _only_difference(asked, words)) is None or fixed[at]:
                continue
            if len(words) == 1 and len(words[at]) < _SHORT:
                continue
            if _slipped(asked[at], words, at):
                found.append(known)
                told = f"'{asked[at]}' read as '{words[at]}'"
                break
    return Found(found, f"same name but for a slip; {told}") if found else None


def _flat(segments: Segments) -> Words:
    return tuple(TYPES.get(word, word) for word in chain.from_iterable(segments))


@lru_cache(maxsize=16384)
def _spellings(segments: Segments) -> tuple[tuple[Words, tuple[bool, ...]], ...]:
    """The option's words, with and without its type, each with whether it is beyond correction."""
    fixed: list[bool] = []
    for segment in segments:
        in_ward = False
        for word, following in zip(segment, (*segment[1:], ""), strict=True):
            counted = (NUMERALS.get(word, ""), following) in COUNTED
            fixed.append(
                in_ward or word in SIDES or any(c.isdigit() for c in word) or (word in NUMERALS and not counted)
            )
            in_ward = in_ward or word in WARD
    words = _flat(segments)
    spellings = [(words, tuple(fixed))]
    if len(words) > 1 and words[0] in TYPES.values():
        start = 2 if words[1] in SMALL and words[1] != "la" and len(words) > 2 else 1
        spellings.append((words[start:], tuple(fixed[start:])))
    return tuple(spellings)


def _only_difference(asked: Words, words: Words) -> int | None:
    if len(asked) != len(words):
        return None
    differing = [i for i, (a, b) in enumerate(zip(asked, words, strict=True)) if a != b]
    return differing[0] if len(differing) == 1 else None


def _is_slip(word: str, target: str, *, among: int = 0) -> bool:
    """One edit apart, or the same to a scanner. `among` lowers the length from which any edit counts."""
    if _looks(word) == _looks(target):
        return len(target) > 3 or (target == "l" and word in ("i", "1"))
    if not word.isalpha() or OSA.distance(word, target, score_cutoff=1) != 1:
        return False
    if target in SMALL:
        return len(target) > 1
    if among:
        return len(target) >= among
    if len(word) == len(target) and word[0] != target[0] and sorted(word) != sorted(target):
        return len(target) >= _LONG
    return len(target) >= _SHORT or (len(target) > 2 and _stuttered(word, target))


def _stuttered(word: str, target: str) -> bool:
    """A letter doubled or not, or two letters swapped: what leaves even a short name itself."""
    return sorted(word) == sorted(target) or [c for c, _ in groupby(word)] == [c for c, _ in groupby(target)]


@lru_cache(maxsize=16384)
def _looks(word: str) -> str:
    for seen, meant in _LOOKALIKES:
        word = word.replace(seen, meant)
    return word


def _slipped(word: str, words: Words, at: int) -> bool:
    """`word`, written for `words[at]`, is a slip, no word of its own, and no slip for another word of that place."""
    target = words[at]
    before, after = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
    if target in SMALL:
        return _is_slip(word, target) and word not in SMALL and len(word) < 4
    if target in ("saint", "sainte") and after:
        return word not in SAINTS and _is_slip(word, target, among=_SHORT) and after not in saints(_other(target))
    if target in NUMERALS:
        rivals = frozenset(NUMERALS)
    elif at == 0 and after and target in _TYPE_WORDS:
        rivals = _TYPE_WORDS
    elif (before, target) == ("notre", "dame") or (target, after) == ("notre", "dame"):
        rivals = frozenset()
    elif before in ("saint", "sainte"):
        if is_known(word) or word in (target + "e", target + target[-1] + "e"):
            return False
        rivals = saints("saint") | saints("sainte")
    else:
        return (
            not is_known(word)
            and _is_slip(word, target)
            and not any(_is_slip(word, rival) for rival in vocabulary() - {target})
        )
    if word in rivals or word in TYPES:
        return False
    return _is_slip(word, target, among=4) and not any(_is_slip(word, r, among=3) for r in rivals - {target})


def _other(marker: str) -> str:
    return "saint" if marker == "sainte" else "sainte"
