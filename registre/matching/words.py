"""The vocabulary of cadastral names: types, sides, small words, numerals, abbreviations."""

from __future__ import annotations

import re

SMALL = frozenset(["a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "of", "sur", "the"])
JOINING = frozenset(("de", "d", "du", "des", "of", "the"))

SIDES = frozenset(["nord", "sud", "est", "ouest", "north", "south", "east", "west"])
ENGLISH_SIDES = {"north": "nord", "south": "sud", "east": "est", "west": "ouest"}
"""After a name they are its side (`Templeton West`); before it they are part of it (`North Hatley`)."""

SIDE_LETTERS = {"n": "nord", "s": "sud", "e": "est", "o": "ouest", "w": "ouest"}
SAINTS = frozenset(("saint", "sainte", "saints", "saintes"))

VILLAGE_OR_VILLE = "vil"
"""`Vil.` is read as Village, and refused when the Ville of that name is offered too. `Vill.` could be either: it fits none."""

TYPES = {
    **dict.fromkeys(("paroisse", "par", "pse", "psse", "parish"), "paroisse"),
    **dict.fromkeys(("canton", "cant", "ct", "ctn", "cton", "township", "twp"), "canton"),
    **dict.fromkeys(("village", "vge", "vlge", "vlg"), "village"),
    VILLAGE_OR_VILLE: VILLAGE_OR_VILLE,
    "vill": "village or ville",
    **dict.fromkeys(("ville", "vle", "town"), "ville"),
    **dict.fromkeys(("cite", "citee", "city"), "cite"),
    **dict.fromkeys(("municipalite", "mun", "munic", "municip", "municipality"), "municipalite"),
    **dict.fromkeys(("seigneurie", "seig", "seign", "sgrie", "seigniory"), "seigneurie"),
    **dict.fromkeys(("augmentation", "augm", "aug"), "augmentation"),
    **dict.fromkeys(("partie", "ptie"), "partie"),
    **dict.fromkeys(("banlieue", "banl"), "banlieue"),
    "fief": "fief",
    "cadastre": "cadastre",
    "cadastres": "cadastre",
    "cad": "cadastre",
    "cd": "cadastre",
}
LEADS_ANOTHER_TYPE = frozenset(("municipalite", "augmentation", "partie", "fief", "cadastre"))
"""Types that may stand before another: `Partie de la Paroisse de …`. (`Village de Canton-de-Chambly` is a name.)"""

WITH_AND_WITHOUT_ARTICLE = frozenset((("malbaie",),))
"""Malbaie (near Percé) and La Malbaie (Charlevoix) are two places; elsewhere a missing article is only forgotten."""

NAMES_LIKE_TYPES = frozenset((("ville", "marie"), ("ville", "emard"), ("clarke", "city")))

WARD = frozenset(["quartier", "quartiers", "quart", "qtier", "qrt", "qr", "ward"])

KINDS = {
    **dict.fromkeys(("rang", "rg", "rge", "range", "rnag", "ragn"), "rang"),
    **dict.fromkeys(("bloc", "block", "bl"), "bloc"),
    **dict.fromkeys(WARD, "quartier"),
    **dict.fromkeys(("partie", "ptie", "pte", "part"), "partie"),
}

ABBREVIATIONS = {
    "st": ("saint",),
    "sain": ("saint",),
    "sait": ("saint",),
    "sint": ("saint",),
    "ste": ("sainte",),
    "sts": ("saints",),
    "stes": ("saintes",),
    "nd": ("notre", "dame"),
    "qc": ("quebec",),
    "que": ("quebec",),
    "mtl": ("montreal",),
    "mt": ("mont",),
    "riv": ("riviere",),
    "gd": ("grand",),
    "gde": ("grande",),
}
"""Only those that can mean one thing. `pte` (Pointe, Petite, Partie) and `l` are not among them."""

_UNITS = (
    ("un", "une", "premier", "premiere"),
    ("deux", "deuxieme", "second", "seconde"),
    ("trois", "troisieme"),
    ("quatre", "quatrieme"),
    ("cinq", "cinquieme"),
    ("six", "sixieme"),
    ("sept", "septieme"),
    ("huit", "huitieme"),
    ("neuf", "neuvieme"),
    ("dix", "dixieme"),
    ("onze", "onzieme"),
    ("douze", "douzieme"),
    ("treize", "treizieme"),
    ("quatorze", "quatorzieme"),
    ("quinze", "quinzieme"),
    ("seize", "seizieme"),
)
NUMERALS = {word: str(n) for n, words in enumerate(_UNITS, 1) for word in words}
COUNTED = {
    ("2", "montagnes"): "deux",
    ("3", "rivieres"): "trois",
    ("3", "pistoles"): "trois",
    ("7", "iles"): "sept",
}
"""A digit that is part of a name, not a number beside it."""

_ROMAN = re.compile(r"(x{0,3})(ix|iv|v?i{0,3})")
_ORDINAL = re.compile(r"([0-9]{1,3})(er|re|ere|e|eme|ieme|nd|nde|o)")


def roman(word: str) -> str | None:
    """`'xiv'` → `'14'`; None when it is no roman numeral below forty."""
    if not word or not (found := _ROMAN.fullmatch(word)):
        return None
    units = {"": 0, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9}
    return str(10 * len(found[1]) + units[found[2]])


def ordinal(word: str) -> str | None:
    """`'2e'` and `'iie'` → `'2'`; None for anything else."""
    if found := _ORDINAL.fullmatch(word):
        return str(int(found[1]))
    if word in ("ier", "iere"):
        return "1"
    return roman(word[:-1]) if len(word) > 2 and word.endswith("e") else None


def rank(word: str) -> str | None:
    """`'1er'` and `'3ieme'` → the number; None for `'2e'` and `'2o'`, which may be 2 Est and 2 Ouest."""
    return ordinal(word) if word[-2:-1].isalpha() else None


def numeral(word: str) -> str | None:
    """The number a word stands for, in digits, roman or letters; None when it is no number."""
    if word.isdigit():
        return str(int(word))
    return ordinal(word) or NUMERALS.get(word) or roman(word)
