"""The rules, in order: blank options out, code, label, then reading against reading, strictest comparison first.

Invariant: each rule yields the options it leaves; one is chosen, several are ambiguous and end the search, none goes
on to the next rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.fuzz import ratio

from registre.document import fold
from registre.matching.designation import read_designation
from registre.matching.lexicon import can_only_be, correct, saints
from registre.matching.model import Candidate, Field, Match, Option
from registre.matching.reading import Reading, Segments, change, given_names, has_foreign_letters, read, split, visible
from registre.matching.words import SAINTS, SMALL, TYPES, VILLAGE_OR_VILLE, WITH_AND_WITHOUT_ARTICLE

MAX_TEXT = 200
MAX_WORDS = 24
PROVINCE = "000001"

_NO_CHOICE_VALUES = frozenset(("", "000000", "null", "none"))
_PLACEHOLDER = re.compile(
    r"(nbsp )*(nbsp|choisi\w*|select\w*|veuillez|aucun|aucune|tous|toutes|sans objet|non applicable|n a|vide)\b.*"
)
_CODE = re.compile(r"(?:(\d{6})\b[\s:–—-]*(.*\S)|(.*\S)[\s:–—-]*[(\[]?\b(\d{6})[)\]]?)")


@dataclass(frozen=True, slots=True)
class _Known:
    """An option with what comparing it needs."""

    option: Option
    folded: str
    segments: Segments
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    options: list[_Known]
    rule: str


def match(text: str, options: Sequence[Option], field: Field) -> Match:
    """The option that `text` means, or a refusal. Pure; the order of `options` never matters; a few ms for 1,300."""
    shown = visible(text).strip()
    quoted = f"'{shown[:60]}…'" if len(shown) > 60 else f"'{shown}'"
    if len(text) > MAX_TEXT:
        return Match(None, f"{len(text)} characters are too many for a name", ())
    real = _real_options(options, field)
    if not real:
        return Match(None, "the form offers nothing to choose from", ())
    if not fold(shown):
        return Match(None, "the request is blank", ())
    if has_foreign_letters(shown):
        return _refuse(f"letters no name here has, in {quoted}", shown, real, [])
    found = _by_code(shown, real, field) or _search(shown, real, field)
    if found is None:
        near = _same_name(shown, real, field)
        return _refuse(_why_not(quoted, shown, near, field), shown, real, near)
    if len(found.options) > 1:
        return _refuse(_ambiguous(found.options), shown, real, found.options)
    if not found.options:
        return _refuse(found.rule, shown, real, [])
    return Match(found.options[0].option, found.rule, _candidates(shown, real, found.options, 100.0))


def _real_options(options: Sequence[Option], field: Field) -> list[_Known]:
    """Options that can be chosen, once each."""
    return [known for option in dict.fromkeys(options) if (known := _know(option, field))]


@lru_cache(maxsize=16384)
def _know(option: Option, field: Field) -> _Known | None:
    """None for a blank option and for the form's own hints."""
    value = option.value.strip()
    label = option.label.strip()
    if value and label.startswith(value) and value.isdigit() and len(value) == 6:
        label = label[len(value) :]
    folded = fold(visible(label))
    if value.lower() in _NO_CHOICE_VALUES or not folded or _PLACEHOLDER.fullmatch(folded):
        return None
    segments = split(label, field)
    readings = read(segments)
    if field is Field.CADASTRE and value == PROVINCE and folded in ("quebec", "cadastre du quebec"):
        readings = (Reading(("cadastre",), ("quebec",), (), (), None),)
    return _Known(option, folded, segments, readings)


def _by_code(shown: str, real: list[_Known], field: Field) -> _Found | None:
    """The request is a code, or a six-digit code beside a name that must agree."""
    same = [k for k in real if k.option.value.strip().casefold() == shown.casefold()]
    if same and field is Field.DESIGNATION and shown.isdigit():
        number = str(int(shown))
        same = [k for k in real if any(number in words for _, words in read_designation(k.segments).pieces)]
    if same:
        rivals = [k for k in real if k.folded == fold(shown) and k not in same]
        return _Found([*same, *rivals], "exact code")
    if field is Field.DESIGNATION or not (parts := _CODE.fullmatch(shown)):
        return None
    code, name = parts[1] or parts[4], parts[2] or parts[3]
    coded = [k for k in real if k.option.value.strip() == code]
    named = _search(name, real, field)
    if len(coded) == 1 and named and named.options == coded:
        return _Found(coded, "exact code and its name")
    return _Found([], f"the code {code} and the name '{name[:60]}' are not one option")


def _search(shown: str, real: list[_Known], field: Field) -> _Found | None:
    folded = fold(shown)
    if same := [k for k in real if k.folded == folded]:
        return _Found(
            same, "same name" if any(k.option.label.strip() == shown for k in same) else "same name without accents"
        )
    segments = split(shown, field)
    if not segments or sum(map(len, segments)) > MAX_WORDS:
        return None
    compare = _RULES[field]
    if found := compare(segments, real):
        return found
    offered = frozenset(w for k in real for segment in k.segments for w in segment if len(w) > 2)
    builtin = field is not Field.ACTE_TYPE
    words = {word for segment in segments for word in segment}
    corrections = {w: c for w in sorted(words) if (c := correct(w, offered, builtin=builtin))}
    if not corrections or len(corrections) > 2:
        return None
    spelled = change(segments, corrections)
    found = compare(spelled, real)
    if found is None or not _may_be_corrected(corrections, spelled, found.options, field):
        return None
    told = ", ".join(f"'{wrong}' read as '{right}'" for wrong, right in corrections.items())
    return _Found(found.options, f"{found.rule}; {told}")


def _may_be_corrected(corrections: dict[str, str], spelled: Segments, found: list[_Known], field: Field) -> bool:
    """A ward is never corrected, nor a given name whose saint had to be corrected too."""
    if field in (Field.DESIGNATION, Field.ACTE_TYPE):
        return True
    corrected = set(corrections.values())
    readings = read(spelled)
    if any(corrected & set(reading.ward or ()) - {"quartier"} for reading in readings):
        return False
    markers = {pair for r in readings for pair in given_names(r.core)}
    kept = {pair for k in found for r in k.readings for pair in given_names(r.core)}
    return markers <= kept


def _compare_places(segments: Segments, real: list[_Known]) -> _Found | None:
    asked = read(segments)
    for rule, same in _PLACE_RULES:
        found = [k for k in real if any(same(a, o) and _fits(a, o) for a in asked for o in k.readings)]
        if found:
            return _Found(_with_villes(asked, found, real), rule)
    return _other_saint(asked, real)


def _fits(asked: Reading, offered: Reading) -> bool:
    """Everything but the proper name agrees. No type asked fits any; a type asked fits only that type."""
    types = tuple("village" if t == VILLAGE_OR_VILLE else t for t in asked.types)
    return (
        (not types or types == offered.types)
        and asked.numbers == offered.numbers
        and sorted(asked.sides) == sorted(offered.sides)
        and (asked.ward == offered.ward or (asked.ward is not None and not asked.words))
    )


def _with_villes(asked: Sequence[Reading], found: list[_Known], real: list[_Known]) -> list[_Known]:
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
    if asked.words[0] in ("la", "l"):
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
    a, o = asked.core, offered.core
    if len(a) != len(o) or len(a) < 2 or a == o:
        return False
    for i, (x, y) in enumerate(zip(a, o, strict=True)):
        if x != y and (min(len(x), len(y)) < 3 or x.rstrip("s") != y.rstrip("s") or (i and a[i - 1] in SAINTS)):
            return False
    return not any(x != y and x in SAINTS for x, y in zip(a, o, strict=True))


_PLACE_RULES: tuple[tuple[str, Callable[[Reading, Reading], bool]], ...] = (
    ("same name once abbreviations and the type word are read", _same_words),
    ("same ward", _same_ward),
    ("same name but for small words", _same_core),
    ("same letters, spaced otherwise", _same_letters),
    ("same words, turned round", _turned),
    ("same name but for a plural", _same_but_plural),
)


def _other_saint(asked: Sequence[Reading], real: list[_Known]) -> _Found | None:
    """`Saint-Anne-des-Monts` is Sainte-Anne-des-Monts: no Saint Anne exists, here or anywhere known."""
    offered = [pair for k in real for r in k.readings for pair in given_names(r.core)]
    found = [k for k in real if any(_one_saint_off(a, o, offered) and _fits(a, o) for a in asked for o in k.readings)]
    return _Found(found, "same name, Saint or Sainte corrected") if found else None


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


def _compare_designations(segments: Segments, real: list[_Known]) -> _Found | None:
    asked = read_designation(segments)
    if asked.pieces and all(kind == "" for kind, _ in asked.pieces):
        return None
    read_options = [(k, read_designation(k.segments)) for k in real]
    letters = {letter for _, d in read_options for letter in d.letters}
    found = [
        k
        for k, d in read_options
        if asked.pieces == d.pieces and not any(chr(ord(letter) - 1) in letters for letter in asked.letters ^ d.letters)
    ]
    return _Found(found, "same désignation") if found else None


def _compare_acte_types(segments: Segments, real: list[_Known]) -> _Found | None:
    asked = _singular(segments)
    found = [k for k in real if _singular(k.segments) == asked]
    return _Found(found, "same type of acte") if found else None


def _singular(segments: Segments) -> tuple[str, ...]:
    return tuple(word.rstrip("s") if len(word) > 4 else word for s in segments for word in s if word not in SMALL)


_RULES: dict[Field, Callable[[Segments, list[_Known]], _Found | None]] = {
    Field.CIRCONSCRIPTION: _compare_places,
    Field.CADASTRE: _compare_places,
    Field.DESIGNATION: _compare_designations,
    Field.ACTE_TYPE: _compare_acte_types,
}


def _same_name(shown: str, real: list[_Known], field: Field) -> list[_Known]:
    """Options of that proper name which another type, number, side or ward tells apart."""
    if field in (Field.DESIGNATION, Field.ACTE_TYPE):
        return []
    cores = {reading.core for reading in read(split(shown, field))} - {()}
    return [k for k in real if any(reading.core in cores for reading in k.readings)]


def _why_not(quoted: str, shown: str, near: list[_Known], field: Field) -> str:
    if not near:
        return f"nothing close to {quoted}"
    asked = read(split(shown, field))
    types = {t for a in asked for t in a.types}
    fitting = [k for k in near if not types or any(types & set(r.types) for r in k.readings)]
    if not any(a.ward or a.numbers or a.sides for a in asked) and fitting:
        label = fitting[0].option.label.strip()
        return _ambiguous(fitting) if len(fitting) > 1 else f"{quoted} may be {label}, but does not say so"
    labels = ", ".join(sorted(k.option.label.strip() for k in near)[:3])
    what = "number, side or ward" if fitting else "type"
    return f"no {quoted} here, only another {what}: {labels}"


def _ambiguous(found: list[_Known]) -> str:
    labels = sorted(k.option.label.strip() for k in found)
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return f"ambiguous: {', '.join(labels[:3])}{more}"


def _refuse(reason: str, shown: str, real: list[_Known], first: list[_Known]) -> Match:
    return Match(None, reason, _candidates(shown, real, first, None))


def _candidates(shown: str, real: list[_Known], first: list[_Known], score: float | None) -> tuple[Candidate, ...]:
    """The options a rule left, then the likest by spelling; ties in the order of their values."""
    folded = " ".join(TYPES.get(w, w) for s in split(shown[:MAX_TEXT], Field.CADASTRE) for w in s)
    chosen = {id(k) for k in first}
    likeness = {id(k): score if score and id(k) in chosen else ratio(folded, k.folded) for k in real}
    ranked = sorted(real, key=lambda k: (id(k) not in chosen, -likeness[id(k)], k.option.value, k.option.label))
    return tuple(Candidate(k.option, round(likeness[id(k)], 1)) for k in ranked[:3])
