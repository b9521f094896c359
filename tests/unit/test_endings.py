"""Every sentence that an order may end with, and every refusal of a move, has its French."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from registre.endings import ENDINGS
from registre.language import Language
from registre.ports import Step
from registre.reasons import reason
from tui import client

ROOT = Path(__file__).parents[2]
ERRORS = {
    "AccountError", "Aborted", "BrowserFailed", "DataError", "DocumentError", "LayoutChanged", "Overdue", "SessionExpired",
    "SiteUnavailable",
}  # fmt: skip
"""What an attempt or a sign-in may end with."""
OF_THE_CHECK = "check.py"
"""Tells its findings on the command line, which speaks English."""
FRENCH_ALREADY = ("document conservé sur papier seulement",)
MOVES = ("07_lease", "08_ledger", "10_finish", "11_operator")
TO_WORKERS = {"The lease of this job is lost.", "This purchase is no longer yours to change."}
OF_NOTHING = re.compile(r"^No \w+ has this|^This purchase |^This job has an open purchase")
"""Told to programs: what a person sees of them is that the order is not there, or is another now."""


def written(node: ast.expr) -> str | None:
    """The sentence, an X for what is filled in; None for what is made elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(part.value if isinstance(part, ast.Constant) else "X" for part in parts)  # type: ignore[misc]
        case ast.BoolOp(values=values):
            return written(values[-1])
    return None


def sentences(source: str) -> Iterator[str]:
    """Of each error that is made, what it says; of a name, what it was given."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            for argument in node.args:
                text = constants.get(argument.id) if isinstance(argument, ast.Name) else written(argument)
                if text is not None:
                    yield text


def of_attempts() -> list[str]:
    files = [*(ROOT / "registre" / "site").rglob("*.py"), *(ROOT / "actors").glob("*.py")]
    files += [ROOT / "registre" / name for name in ("extraction.py", "inspection.py")]
    found = {text for file in files if file.name != OF_THE_CHECK for text in sentences(file.read_text("utf-8"))}
    return sorted(text for text in found if not any(french in text for french in FRENCH_ALREADY))


def of_refusals() -> list[str]:
    folder = ROOT / "registre" / "database" / "sql"
    text = "".join(file.read_text("utf-8") for file in sorted(folder.glob("*.sql")) if file.stem in MOVES)
    raw = re.findall(r"refuse\('\w+', '((?:[^']|''|' \|\| [\w.]+ \|\| ')*)'\)", text)
    said = {re.sub(r"' \|\| [\w.]+ \|\| '", "X", one).replace("''", "'") for one in raw}
    return sorted(one for one in said - TO_WORKERS if not OF_NOTHING.search(one))


def in_french(text: str) -> str:
    return reason(text, Language.FRENCH)


@pytest.mark.parametrize("sentence", of_attempts())
def test_how_an_attempt_ends_has_its_french(sentence: str) -> None:
    filled = sentence.replace("while X", "while signing in").replace("The site is X: X", "The site is closed: X")
    filled = filled.replace("not a PDFX", "not a PDF, but a page of the site")
    assert in_french(filled) != filled


@pytest.mark.parametrize("sentence", of_refusals())
def test_what_is_refused_has_its_french(sentence: str) -> None:
    assert in_french(sentence) != sentence


@pytest.mark.parametrize("step", Step)
def test_a_step_within_a_sentence_has_its_french(step: Step) -> None:
    assert in_french(f"it is being worked on by bureau/99T0001: {step}") != f"bureau/99T0001 y travaille : {step}"


def test_what_is_collected_is_not_nothing() -> None:
    assert len(of_attempts()) > 60
    assert len(of_refusals()) > 6


def test_a_sentence_made_in_either_way_is_found() -> None:
    source = (
        'A = "gone"\nraise BrowserFailed(A)\nraise SiteUnavailable(f"{a} and {b}")\nAccountError(k, said or "nothing")'
    )
    assert list(sentences(source)) == ["gone", "X and X", "nothing"]


@pytest.mark.parametrize("english", ENDINGS)
def test_a_translation_names_what_its_sentence_names(english: str) -> None:
    names = re.compile(r"\{\w+\*?\}")
    assert sorted(names.findall(english)) == sorted(names.findall(ENDINGS[english]))
    filled = names.sub("17", english)
    assert in_french(filled) == names.sub("17", ENDINGS[english]), "another sentence takes its place"


def test_one_within_another_is_told_too() -> None:
    assert in_french("it ended in error: Given up by marie. The last attempt: the browser broke.") == (
        "elle s’est terminée en erreur : Abandonnée par marie. Le dernier essai : the browser broke."
    )


def test_the_terminal_s_own_way_has_its_french() -> None:
    source = Path(client.__file__).read_text("utf-8")
    for words in re.findall(r'Unavailable\((?:said or )?f"(The API at \{self\.origin\}[^"]*)"\)', source):
        filled = re.sub(r"\{[^}]*\}", "X", words)
        assert in_french(filled) != filled
