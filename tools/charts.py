"""Draws the state charts of the book from the tables of the code, between two marks of their page.

`make charts` writes them; a test compares. Invariant: nothing outside the marks is touched.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from registre import job, ledger

PAGE = Path(__file__).parents[1] / "docs" / "architecture.md"

Arrows = Mapping[str, tuple[tuple[StrEnum, StrEnum], ...]]

_MARKED = re.compile(r"(<!-- chart: (\w+) -->\n).*?(<!-- end of chart -->)", re.DOTALL)


def chart(arrows: Arrows, first: Mapping[StrEnum, str]) -> str:
    """A state chart for mermaid. `first` are the states in which a thing begins, each with what writes it."""
    states = dict.fromkeys([*first, *(state for moves in arrows.values() for move in moves for state in move)])
    names = {state: state.name.lower() for state in states}
    lines = [f"    {names[state]}: {state.value}" for state in states]
    lines += [f"    [*] --> {names[state]}: {function}" for state, function in first.items()]
    for function, moves in arrows.items():
        lines += [f"    {names[before]} --> {names[after]}: {function}" for before, after in moves]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```", ""])


CHARTS: Mapping[str, Callable[[], str]] = {
    "jobs": lambda: chart(job.ARROWS, {job.Status.WAITING: "submit_jobs"}),
    "purchases": lambda: chart(ledger.ARROWS, {ledger.PurchaseState.INTENDED: "intend"}),
}


def drawn(text: str) -> str:
    """The page with its charts drawn anew; KeyError for a mark of no chart."""
    return _MARKED.sub(lambda found: found[1] + CHARTS[found[2]]() + found[3], text)


def main() -> int:
    before = PAGE.read_text("utf-8")
    after = drawn(before)
    if after != before:
        PAGE.write_text(after, "utf-8")
        print(f"{PAGE.name} is drawn anew")
    return 0


if __name__ == "__main__":
    sys.exit(main())
