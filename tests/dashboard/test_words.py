"""Every sentence of the pages has its French."""

from __future__ import annotations

from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import api
from api.problems import _KINDS
from registre.operations import RULES

HERE = Path(api.__file__).parent
PAGES = [("templates/dashboard/**.html", "jinja2"), ("dashboard/**.py", "python")]


def sentences() -> set[str]:
    found = set()
    for _, _, message, _, _ in extract_from_dir(HERE, PAGES):
        found.add(message[0] if isinstance(message, tuple) else message)
    return found | set(RULES.values()) | {title for _, _, _, title in _KINDS}


def test_every_sentence_of_the_pages_has_its_french() -> None:
    with (HERE / "locale" / "fr.po").open("rb") as source:
        known = {entry.id if isinstance(entry.id, str) else entry.id[0]: entry for entry in read_po(source) if entry.id}
    asked = sentences()
    assert len(asked) > 250
    assert sorted(asked - set(known)) == []
    assert [key for key, entry in known.items() if not entry.string or entry.fuzzy] == []


def test_a_translation_names_what_its_sentence_names() -> None:
    with (HERE / "locale" / "fr.po").open("rb") as source:
        wrong = [entry.id for entry in read_po(source) if entry.id and any(True for _ in entry.check())]
    assert wrong == []
