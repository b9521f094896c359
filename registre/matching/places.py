"""Compare places: circonscriptions and cadastres, reading against reading, the strictest comparison first.

Invariant: type, number, side and ward always agree; only the proper name is compared more and more leniently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from registre.matching.lexicon import can_only_be, saints
from registre.matching.model import Option
from registre.matching.reading import Reading, Segments, given_names, read
from registre.matching.words import SAINTS, SMALL, TYPES, VILLAGE_OR_VILLE, WITH_AND_WITHOUT_ARTICLE


@dataclass(frozen=True, slots=True)
class Known:
    """An option with what comparing it needs."""

    option: Option
    codes: frozenset[str]
    folded: str
    segments: Segments
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Found:
    options: list[Known]
    rule: str


def compare_places(segments: Segments, real: list[Known]) -> Found | None:
    asked = read(segments)
    numbered = {a.core for a in asked if a.numbers}
    asked = tuple(a for a in asked if a.numbers or a.core not in numbered)
    for rule, same in _PLACE_RULES:
        found = [k for k in real if any(same(a, o) and _fits(a, o) for a in asked for o in k.readings)]
        if found:
            return Found(_with_villes(asked, found, real), rule)
    return _other_saint(asked, real)


def compare_circonscriptions(segments: Segments, real: list[Known]) -> Found | None:
    """`Cadastre de Montréal` names a cadastre, so no circonscription is meant."""
    if any(TYPES.get(word) == "cadastre" for segment in segments for word in segment):
        return None
    return compare_places(segments, real)


def _fits(asked: Reading, offered: Reading) -> bool:
    """Everything but the proper name agrees. No type asked fits any; a type asked fits only that type."""
    types = tuple("village" if t == VILLAGE_OR_VILLE else t for t in asked.types)
    return (
        (not types or types == offered.types)
        and asked.numbers == offered.numbers
        and sorted(asked.sides) == sorted(offered.sides)
        and (asked.ward == offered.ward or (asked.ward is not None and not asked.words))
    )


def _with_villes(asked: Sequence[Reading], found: list[Known], real: list[Known]) -> list[Known]:
    """`Vil. de X` with a Village and a Ville of that name is ambiguous."""
    if not any(VILLAGE_OR_VILLE in a.types for a in asked):
        return found
    names = {(r.core, r.numbers, r.sides, r.ward) for k in found for r in k.readings}
    villes = [
        k
        for k in real
        if any(r.types == ("ville",) and (r.core, r.numbers, r.sides, r.ward) in names for r in k.readings)
    ]
    return [*found, *(k for k in villes if k not in found)]


def _same_words(asked: Reading, offered: Reading) -> bool:
    return bool(asked.words) and asked.words == offered.words


def _same_ward(asked: Reading, offered: Reading) -> bool:
    """A ward named without its city, or with its city after it (`quartier Sainte-Marie de Montréal`)."""
    if asked.words or asked.ward is None or offered.ward is None:
        return False
    return asked.ward in (offered.ward, offered.ward + offered.core)


def _same_core(asked: Reading, offered: Reading) -> bool:
    """Equal but for small words; an article may be forgotten, not added: `La Malbaie` is not Malbaie."""
    if not asked.core or asked.core != offered.core:
        return False
    if asked.words[0] == "la" or (asked.words[0] == "l" and asked.core[0] not in ("ile", "isle")):
        return offered.words[0] in SMALL
    return asked.core not in WITH_AND_WITHOUT_ARTICLE


def _same_letters(asked: Reading, offered: Reading) -> bool:
    """Equal but for where words begin: `Lassomption`, `Baiecomeau`, `Saintjean`."""
    a, o = asked.words, offered.words
    return bool(a) and bool(o) and a[0][0] == o[0][0] and "".join(a) == "".join(o)


def _turned(asked: Reading, offered: Reading) -> bool:
    """Words turned round: `Noranda-Rouyn`, `Monts Sainte-Anne-des`."""
    a, o = asked.words, offered.words
    return len(a) == len(o) and any(a[i:] + a[:i] == o for i in range(1, len(a)))


def _same_but_plural(asked: Reading, offered: Reading) -> bool:
    """A plural forgotten in a name of several words (`Sept-Île`); never after a saint, where it makes another name."""
    a, o = asked.words, offered.words
    if len(a) != len(o) or min(len(asked.core), len(offered.core)) < 2:
        return False
    for i, (x, y) in enumerate(zip(a, o, strict=True)):
        if x == y:
            continue
        if min(len(x), len(y)) < 3 or x.rstrip("s") != y.rstrip("s"):
            return False
        if {x, y} & (SAINTS | SMALL) or (i and a[i - 1] in SAINTS):
            return False
    return True


_PLACE_RULES: tuple[tuple[str, Callable[[Reading, Reading], bool]], ...] = (
    ("same name once abbreviations and the type word are read", _same_words),
    ("same ward", _same_ward),
    ("same name but for small words", _same_core),
    ("same letters, spaced otherwise", _same_letters),
    ("same words, turned round", _turned),
    ("same name but for a plural", _same_but_plural),
)


def _other_saint(asked: Sequence[Reading], real: list[Known]) -> Found | None:
    """`Saint-Anne-des-Monts` is Sainte-Anne-des-Monts: no Saint Anne exists, here or anywhere known."""
    offered = [pair for k in real for r in k.readings for pair in given_names(r.core)]
    found = [k for k in real if any(_one_saint_off(a, o, offered) and _fits(a, o) for a in asked for o in k.readings)]
    return Found(found, "same name, Saint or Sainte corrected") if found else None


def _one_saint_off(asked: Reading, other: Reading, offered: list[tuple[str, str]]) -> bool:
    a, o = asked.core, other.core
    if len(a) != len(o) or a[-1:] != o[-1:]:
        return False
    differing = [i for i, (x, y) in enumerate(zip(a, o, strict=True)) if x != y]
    if len(differing) != 1 or differing[0] + 1 >= len(a) or asked.ward is not None:
        return False
    i = differing[0]
    if {a[i], o[i]} != {"saint", "sainte"}:
        return False
    return can_only_be(a[i], o[i], a[i + 1], {name for marker, name in offered if marker == a[i]} - saints(o[i]))
