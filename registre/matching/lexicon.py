"""Real names of Quebec, so that a misspelling is corrected and a real name never becomes another.

Invariant: a word that is known, here or in the list offered, is never changed; an unknown word changes only into the
known word that is clearly the nearest of all, wherever that word comes from.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from itertools import groupby

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from registre.document import fold
from registre.matching.words import KINDS, NUMERALS, SAINTS, SIDES, SMALL, TYPES, VILLAGE_OR_VILLE

_SPELLINGS = str.maketrans("ykqz", "iccs")
_FARTHEST = 5
"""Words farther than this are of no interest: three edits at most are corrected, with a margin of two."""


@cache
def _sections() -> dict[str, tuple[str, ...]]:
    text = (files("registre.matching") / "names.txt").read_text(encoding="utf-8")
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[] "), [])
        elif not line.startswith("#"):
            current.extend(name for part in line.split(",") if (name := fold(part)))
    return {key: tuple(names) for key, names in sections.items()}


@cache
def saints(marker: str) -> frozenset[str]:
    """First words of the names known after `saint` or `sainte`."""
    return frozenset(name.split()[0] for name in _sections()[marker])


@cache
def vocabulary() -> frozenset[str]:
    """Every word of three letters or more that is known without seeing any list."""
    words = {word for names in _sections().values() for name in names for word in name.split()}
    words |= {"notre", "dame", "sacre", "coeur"} | SIDES | SAINTS | set(NUMERALS)
    words |= (set(TYPES.values()) | set(KINDS.values())) - {VILLAGE_OR_VILLE, "village or ville"}
    return frozenset(word for word in words if len(word) > 2)


def is_known(word: str) -> bool:
    """True for every word that means something by itself, with or without a list."""
    return word in vocabulary() or word in SMALL or word in TYPES or word in KINDS


def correct(word: str, offered: frozenset[str], *, builtin: bool = True) -> str | None:
    """The known word that `word` misspells, or None: not misspelt, too short, too far, or two words as near."""
    known = offered | vocabulary() if builtin else offered
    if len(word) < 4 or word in known or word in SMALL or word in TYPES or word in KINDS or not word.isalpha():
        return None
    if sound := _same_sound(word, known):
        return sound
    near = [
        (other, int(distance))
        for other, distance, _ in extract(word, known, scorer=OSA.distance, score_cutoff=_FARTHEST, limit=6)
        if distance <= _bound(word, other) + 1
    ]
    if not near:
        return None
    best, distance = near[0]
    margin = 1 if distance == 1 else 2
    for rival, rival_distance in near[1:]:
        if rival_distance >= distance + margin:
            break
        if rival.rstrip("s") != best.rstrip("s") or (rival in offered) == (best in offered):
            return None
        best = rival if rival in offered else best
    if best in SIDES or best in NUMERALS or distance > _bound(word, best):
        return None
    return best


def _same_sound(word: str, known: frozenset[str]) -> str | None:
    """The only known word that sounds alike in French: `hypolite` is Hippolyte."""
    wanted = _sound(word)
    if len(wanted) < 4:
        return None
    alike = [other for other in known if _sound(other) == wanted]
    if len(alike) != 1 or alike[0] in SIDES or alike[0] in NUMERALS:
        return None
    distance = OSA.distance(word, alike[0])
    nearer = extract(word, known, scorer=OSA.distance, score_cutoff=distance, limit=2)
    return alike[0] if len(nearer) == 1 else None


@lru_cache(maxsize=16384)
def _sound(word: str) -> str:
    plain = word.translate(_SPELLINGS)
    for spelled, sound in (("cu", "c"), ("ph", "f"), ("h", "")):
        plain = plain.replace(spelled, sound)
    return "".join(letter for letter, _ in groupby(plain))


def _bound(word: str, target: str) -> int:
    """How many edits may separate them: none at four letters, where too many names lie one letter apart.

    Another first letter makes another name (Nelson, Delson; Lakefield, Wakefield) unless it was lost, added or swapped.
    """
    length = len(target)
    if length < 5:
        return 0
    if word[0] != target[0]:
        slipped = word == target[1:] or word[1:] == target or word[:2] == target[1::-1]
        return 1 if slipped and length > 5 else 0
    if length < 9:
        return 1
    return 2 if length < 12 else 3


def can_only_be(asked: str, other: str, given_name: str, offered: Iterable[str]) -> bool:
    """True when `asked` (saint or sainte) cannot stand before `given_name` and `other` does.

    *Saint-Anne* can only be Sainte-Anne; *Saint-Denise* may mean Saint-Denis, so it is False. `offered` are the given
    names that the list has after `asked`.
    """
    if given_name not in saints(other) or (asked == "sainte" and given_name.endswith("e")):
        return False
    rivals = saints(asked) | frozenset(offered)
    return not any(_akin(given_name, rival) for rival in rivals)


def _akin(name: str, rival: str) -> bool:
    short, long = sorted((name, rival), key=len)
    if len(short) >= 3 and long.startswith(short):
        return True
    return len(short) > 4 and OSA.distance(name, rival, score_cutoff=1) <= 1
