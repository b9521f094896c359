"""What the book says is what the code has: charts, runbook, list to verify, links, settings and commands."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import typer

from registre.alerts import AlertKind
from registre.cli import app
from registre.errors import ErrorKind
from registre.gates import Gate
from tools import charts

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")


def section(text: str, title: str) -> str:
    """The part below a heading of the second level."""
    [found] = re.findall(rf"^## {re.escape(title)}.*?\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def entries(title: str) -> list[str]:
    return re.findall(r"^### (.+)$", section(RUNBOOK, title), re.MULTILINE)


def test_every_kind_of_error_has_its_entry_in_the_runbook_and_no_other() -> None:
    assert entries("Orders: the kinds of errors") == [str(kind) for kind in ErrorKind]


def test_every_gate_has_its_entry_in_the_runbook_in_the_order_in_which_they_are_asked() -> None:
    assert entries("Gates") == [str(gate) for gate in Gate]


def test_every_alert_has_its_entry_in_the_runbook_and_no_other() -> None:
    assert entries("Alerts") == [str(kind) for kind in AlertKind]


def findings() -> Iterator[str]:
    """What a finding of the doctor may be called, from the code: the words before what changes in it."""
    for place in ("registre/doctor.py", "registre/cli/doctor.py"):
        for node in ast.walk(ast.parse((ROOT / place).read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("Finding", "tried"):
                name = node.args[0]
                if isinstance(name, ast.JoinedStr):
                    name = name.values[0]
                if isinstance(name, ast.Constant):
                    yield str(name.value).split()[0]


def test_every_finding_of_the_doctor_has_its_entry_in_the_runbook_and_no_other() -> None:
    # one account and one gate are told under the heading of all; the folders that are open to others under that of evidence
    found = {{"account": "accounts", "gate": "gates"}.get(name, name) for name in findings()}
    assert set(entries("Findings of the doctor")) == found | {"evidence"}


def test_the_charts_are_those_of_the_code() -> None:
    page = charts.PAGE.read_text("utf-8")
    assert charts.drawn(page) == page, "make charts"
    assert all(f"<!-- chart: {name} -->\n```mermaid" in page for name in charts.CHARTS)


def keys_of(content: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, value in content.items():
        if isinstance(value, dict) and name != "headers":
            yield from keys_of(value, f"{above}{name}.")
        else:
            yield above + name


def test_every_value_of_the_site_s_profile_is_in_the_list_to_verify_once_and_no_other() -> None:
    profile = tomllib.loads((ROOT / "registre" / "site" / "foncier.toml").read_text("utf-8"))
    listed = re.findall(
        r"^\| `([^`]+)` \|", section((ROOT / "docs" / "site.md").read_text("utf-8"), "What to verify"), re.MULTILINE
    )
    keys = list(keys_of(profile))
    assert {
        key: [row for row in listed if fnmatchcase(key, row)]
        for key in keys
        if sum(fnmatchcase(key, row) for row in listed) != 1
    } == {}
    assert [row for row in listed if not any(fnmatchcase(key, row) for key in keys)] == []


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    titles = re.findall(r"^#{1,4} (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_the_book_leads_somewhere(page: Path) -> None:
    for target in re.findall(
        r"\]\(([^)\s]+)\)", re.sub(r"\s*\n\s*", " ", page.read_text("utf-8")).replace("] (", "](")
    ):
        if target.startswith(("https://", "http://")):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(there.read_text("utf-8")), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_the_book_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:registre|actors|api|tui|tests|tools|benchmarks|docs)/[\w./-]+)`", page.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def commands(group: typer.Typer, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for command in group.registered_commands:
        if not command.hidden:
            yield (*above, command.name or "")
    for each in group.registered_groups:
        assert each.typer_instance is not None
        yield from commands(each.typer_instance, (*above, each.name or ""))


def test_every_command_that_the_book_names_exists() -> None:
    known = set(commands(app))
    for page in PAGES:
        prose = re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        named = [tuple(code.split()[:2]) for code in re.findall(r"`registre ([a-z][^`]*)`", prose)]
        groups = {command[:1] for command in known if len(command) == 2}
        there = known | groups
        assert [words for words in named if words not in there and words[:1] not in known] == [], page.name
