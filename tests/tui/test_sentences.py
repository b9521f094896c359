"""Every sentence of the terminal dashboard has its French, and takes the same values there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from registre.language import Language
from tui.tongue import Tongue

TUI = Path(__file__).parents[2] / "tui"
SAYING = {"say": 1, "many": 2, "N_": 1}
"""What says a sentence, and how many of its first arguments are sentences."""


def sentences(source: str) -> Iterator[tuple[str, ...]]:
    """The sentence, or the singular and the plural, of each call that says one; also of both sides of a choice."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in SAYING:
                yield from _said(node.args[: SAYING[name]])


def _said(arguments: list[ast.expr]) -> Iterator[tuple[str, ...]]:
    if len(arguments) == 1 and isinstance(arguments[0], ast.IfExp):
        yield from _said([arguments[0].body])
        yield from _said([arguments[0].orelse])
        return
    found = tuple(a.value for a in arguments if isinstance(a, ast.Constant) and isinstance(a.value, str))
    if len(found) == len(arguments) and all(found):
        yield found


def used() -> set[tuple[str, ...]]:
    return {said for path in sorted(TUI.rglob("*.py")) for said in sentences(path.read_text("utf-8"))}


@pytest.fixture(scope="module")
def french() -> Catalog:
    with (TUI / "locale" / "fr.po").open("rb") as file:
        return read_po(file, locale="fr")


def test_every_sentence_has_its_french_and_the_same_values(french: Catalog) -> None:
    known = {m.id if isinstance(m.id, tuple) else (m.id,): m.string for m in french if m.id}
    missing = sorted(said for said in used() if not known.get(said))
    assert not missing, "these have no French"
    for said in used():
        told = known[said]
        for one in told if isinstance(told, list | tuple) else (told,):
            assert one is not None
            assert values_of(one) == values_of(said[-1]), f"{said[-1]!r} and {one!r} take other values"


def test_the_catalogue_holds_nothing_that_nobody_says(french: Catalog) -> None:
    known = {m.id if isinstance(m.id, tuple) else (m.id,) for m in french if m.id}
    assert sorted(known - used()) == []


def test_a_sentence_that_is_said_is_found() -> None:
    assert list(sentences('say("a")\nx.many("%(n)s b", "%(n)s c", 2)\nN_("d")\nsay("e" if y else "f")\nsay(z)')) == [
        ("a",),
        ("%(n)s b", "%(n)s c"),
        ("d",),
        ("e",),
        ("f",),
    ]


def test_both_languages_are_spoken() -> None:
    assert Tongue(Language.FRENCH).say("Fleet") == "Flotte"
    assert Tongue(Language.ENGLISH).say("Fleet") == "Fleet"
    assert Tongue(Language.FRENCH).many("%(n)s document", "%(n)s documents", 0) == "0 document"
    assert Tongue(Language.ENGLISH).many("%(n)s document", "%(n)s documents", 2) == "2 documents"


def values_of(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))
