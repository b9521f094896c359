"""A sheet with what is said instead of it when it has no rows, and a line below that tells where one is.

Invariant: an empty table says why it is empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from tui.widgets.bars import Words
from tui.widgets.sheet import Column, Line, Sheet


class Listing(Vertical):
    """Composed of `Sheet`, `.empty` and `.foot`."""

    def compose(self) -> ComposeResult:
        yield Sheet()
        yield Words(classes="empty", grows=True)
        yield Words(classes="foot")

    @property
    def sheet(self) -> Sheet:
        return self.query_one(Sheet)

    def head(self, columns: Sequence[Column]) -> None:
        self.sheet.head(columns)

    def show(self, lines: Sequence[Line], *, empty: str, foot: str | Text = "") -> None:
        self.sheet.show(lines)
        self.set_class(not lines, "-empty")
        self.query_one(".empty", Words).put(empty)
        below = self.query_one(".foot", Words)
        below.put(foot)
        below.display = bool(foot)
