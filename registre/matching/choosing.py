"""The rules, in order: blank options out, code, label, then reading against reading, strictest comparison first.

Invariant: each rule yields the options it leaves; one is chosen, several are ambiguous and end the search, none goes
on to the next rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from rapidfuzz.fuzz import ratio

from registre.document import fold
from registre.matching.designation import read_designation
from registre.matching.lexicon import correct
from registre.matching.model import Candidate, Field, Match, Option
from registre.matching.places import Found, Known, compare_circonscriptions, compare_places
from registre.matching.reading import Reading, Segments, change, given_names, has_foreign_letters, read, split, visible
from registre.matching.slips import find_slipped
from registre.matching.words import SMALL, TYPES

MAX_TEXT = 200
MAX_WORDS = 24
PROVINCE = "000001"

_PLACES = (Field.CIRCONSCRIPTION, Field.CADASTRE)
_NO_CHOICE_VALUES = frozenset(("", "000000", "null", "none"))
_PLACEHOLDER = re.compile(
    r"(nbsp )*(nbsp|choisi\w*|select\w*|veuillez|aucun|aucune|tous|toutes|sans objet|non applicable|n a|vide)\b.*"
)
_CODE = re.compile(r"(?:(\d{6})\b[\s:–—-]*(.*\S)|(.*\S)[\s:–—-]*[(\[]?\b(\d{6})[)\]]?)")
_BARE_CODE = re.compile(r"\W*(?:(?:cadastre|code|no|n°|numéro)\W*)?(\d{6})\W*", re.IGNORECASE)
_SHORT_CODE = re.compile(r"(?:([0-9A-Za-z]{1,6})(?:\s*[:–—]|\s*-\s)\s*(.*\S)|(.*\S)\s*[(\[]([0-9A-Za-z]{1,6})[)\]])")
"""A code that is not six digits counts only with a mark between it and a name that agrees."""


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


def _real_options(options: Sequence[Option], field: Field) -> list[Known]:
    """Options that can be chosen, once each."""
    return [known for option in dict.fromkeys(options) if (known := _know(option, field))]


@lru_cache(maxsize=16384)
def _know(option: Option, field: Field) -> Known | None:
    """None for a blank option and for the form's own hints."""
    value = option.value.strip()
    code, label = _code_in(option.label.strip(), value) if field in _PLACES else ("", option.label.strip())
    folded = fold(visible(label))
    if value.lower() in _NO_CHOICE_VALUES or not folded or _PLACEHOLDER.fullmatch(folded):
        return None
    segments = split(label, field)
    readings = read(segments)
    codes = frozenset(c for c in (value.casefold(), code) if c)
    if field is Field.CADASTRE and PROVINCE in codes and folded in ("quebec", "cadastre du quebec"):
        readings = (Reading(("cadastre",), ("quebec",), (), (), None),)
    return Known(option, codes, folded, segments, readings)


def _code_in(label: str, value: str) -> tuple[str, str]:
    """A label's own code and the rest: `050480 - Paroisse de Saint-Bruno`, or `47 - Montréal` when 47 is its value."""
    if parts := _CODE.fullmatch(label):
        return parts[1] or parts[4], parts[2] or parts[3]
    if (parts := _SHORT_CODE.fullmatch(label)) and (parts[1] or parts[4]).casefold() == value.casefold():
        return value.casefold(), parts[2] or parts[3]
    return "", label


def _by_code(shown: str, real: list[Known], field: Field) -> Found | None:
    """The request is a code, or a six-digit code beside a name that must agree."""
    same = [k for k in real if shown.casefold() in k.codes]
    if not same and field is Field.CADASTRE and (bare := _BARE_CODE.fullmatch(shown)):
        same = [k for k in real if bare[1] in k.codes]
    if same and field is Field.DESIGNATION and shown.isdigit():
        number = str(int(shown))
        same = [k for k in real if any(number in words for _, words in read_designation(k.segments).pieces)]
    if same:
        rivals = [k for k in real if k.folded == fold(shown) and k not in same]
        return Found([*same, *rivals], "exact code")
    long = _CODE.fullmatch(shown)
    if field not in _PLACES or not (parts := long or _SHORT_CODE.fullmatch(shown)):
        return None
    code, name = (parts[1] or parts[4]).casefold(), parts[2] or parts[3]
    coded = [k for k in real if code in k.codes]
    named = _search(name, real, field) if coded or long else None
    if len(coded) == 1 and named and named.options == coded:
        return Found(coded, "exact code and its name")
    if not long:
        return None
    return Found([], f"the code {code} and the name '{name[:60]}' are not one option")


def _search(shown: str, real: list[Known], field: Field) -> Found | None:
    folded = fold(shown)
    if same := [k for k in real if k.folded == folded]:
        return Found(
            same, "same name" if any(k.option.label.strip() == shown for k in same) else "same name without accents"
        )
    segments = split(shown, field)
    if not segments or sum(map(len, segments)) > MAX_WORDS:
        return None
    compare = _RULES[field]
    if found := compare(segments, real) or _written_out(segments, real, field):
        return found
    offered = frozenset(w for k in real for segment in k.segments for w in segment if len(w) > 2)
    builtin = field is not Field.ACTE_TYPE
    words = {word for segment in segments for word in segment}
    corrections = {w: c for w in sorted(words) if (c := correct(w, offered, builtin=builtin))}
    if corrections and len(corrections) <= 2:
        spelled = change(segments, corrections)
        found = compare(spelled, real)
        if found and _may_be_corrected(corrections, spelled, found.options, field):
            told = ", ".join(f"'{wrong}' read as '{right}'" for wrong, right in corrections.items())
            return Found(found.options, f"{found.rule}; {told}")
    return find_slipped(segments, real) if field in _PLACES else None


def _written_out(segments: Segments, real: list[Known], field: Field) -> Found | None:
    """`Pte` is Pointe or Petite: whichever of them the list offers."""
    if field not in _PLACES or not any("pte" in segment for segment in segments):
        return None
    both = [compare_places(change(segments, {"pte": word}), real) for word in ("pointe", "petite")]
    options = [k for found in both if found for k in found.options]
    return Found(list({id(k): k for k in options}.values()), "same name, 'Pte' written out") if options else None


def _may_be_corrected(corrections: dict[str, str], spelled: Segments, found: list[Known], field: Field) -> bool:
    """A ward is never corrected, nor a saint's gender along with a given name."""
    if field not in _PLACES:
        return not any(_feminine(wrong, right, spelled) for wrong, right in corrections.items())
    corrected = set(corrections.values())
    readings = read(spelled)
    if any(corrected & set(reading.ward or ()) - {"quartier"} for reading in readings):
        return False
    if any(_feminine(wrong, right, spelled) for wrong, right in corrections.items()):
        return False
    markers = {pair for r in readings for pair in given_names(r.core)}
    kept = {pair for k in found for r in k.readings for pair in given_names(r.core)}
    return markers <= kept


def _feminine(wrong: str, right: str, spelled: Segments) -> bool:
    """`Saint-Andrée` and `Sainte-Denis` are not spellings of Saint-André and Sainte-Denise: a gender is in doubt."""
    if not any(name == right for segment in spelled for _, name in given_names(segment)):
        return False
    short, long = sorted((wrong, right), key=len)
    return long.startswith(short) and long[len(short) :] in ("e", "le", "ne", "se", "te") and long == wrong


def _compare_designations(segments: Segments, real: list[Known]) -> Found | None:
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
    return Found(found, "same désignation") if found else None


def _compare_acte_types(segments: Segments, real: list[Known]) -> Found | None:
    asked = _singular(segments)
    found = [k for k in real if _singular(k.segments) == asked]
    return Found(found, "same type of acte") if found else None


def _singular(segments: Segments) -> tuple[str, ...]:
    return tuple(word.rstrip("s") if len(word) > 4 else word for s in segments for word in s if word not in SMALL)


_RULES: dict[Field, Callable[[Segments, list[Known]], Found | None]] = {
    Field.CIRCONSCRIPTION: compare_circonscriptions,
    Field.CADASTRE: compare_places,
    Field.DESIGNATION: _compare_designations,
    Field.ACTE_TYPE: _compare_acte_types,
}


def _same_name(shown: str, real: list[Known], field: Field) -> list[Known]:
    """Options of that proper name which another type, number, side or ward tells apart."""
    if field in (Field.DESIGNATION, Field.ACTE_TYPE):
        return []
    cores = {reading.core for reading in read(split(shown, field))} - {()}
    return [k for k in real if any(reading.core in cores for reading in k.readings)]


def _why_not(quoted: str, shown: str, near: list[Known], field: Field) -> str:
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


def _ambiguous(found: list[Known]) -> str:
    labels = sorted(k.option.label.strip() for k in found)
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return f"ambiguous: {', '.join(labels[:3])}{more}"


def _refuse(reason: str, shown: str, real: list[Known], first: list[Known]) -> Match:
    return Match(None, reason, _candidates(shown, real, first, None))


def _candidates(shown: str, real: list[Known], first: list[Known], score: float | None) -> tuple[Candidate, ...]:
    """The options a rule left, then the likest by spelling; ties in the order of their values."""
    folded = " ".join(TYPES.get(w, w) for s in split(shown[:MAX_TEXT], Field.CADASTRE) for w in s)
    chosen = {id(k) for k in first}
    likeness = {id(k): score if score and id(k) in chosen else ratio(folded, k.folded) for k in real}
    ranked = sorted(real, key=lambda k: (id(k) not in chosen, -likeness[id(k)], k.option.value, k.option.label))
    return tuple(Candidate(k.option, round(likeness[id(k)], 1)) for k in ranked[:3])
