"""A table that is told its rows as a whole, and changes on the screen only what differs.

Invariant: the cursor stays on its row, not on its place; what is drawn grows with the rows given, never with what lies behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable
from textual.widgets.data_table import RowDoesNotExist

PADDING = 2
LEAST_REST = 8


@dataclass(frozen=True, slots=True)
class Column:
    """`width` 0 takes what the others leave; it is shown from `least` columns of the terminal on, and below `most`."""

    key: str
    title: str
    width: int
    least: int = 0
    most: int = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its cells by column."""

    key: str
    cells: dict[str, Text]


class Sheet(DataTable[Text]):
    """Columns are given once, rows as often as they change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("g", "scroll_top", show=False),
        Binding("G", "scroll_bottom", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, cursor_type="row", zebra_stripes=False, cell_padding=1)
        self._all: tuple[Column, ...] = ()
        self._drawn: tuple[Column, ...] = ()
        self._lines: dict[str, Line] = {}
        self._laid_for = 0

    def head(self, columns: Sequence[Column]) -> None:
        """What there is to show; how much of it, the width decides."""
        self._all = tuple(columns)
        self._lay()

    def show(self, lines: Sequence[Line]) -> None:
        given = {line.key: line for line in lines}
        if list(given) == list(self._lines):
            for key, line in given.items():
                if line is not self._lines[key]:
                    self._change(self._lines[key], line)
            self._lines = given
        else:
            self._lines = given
            self._fill()

    @property
    def current(self) -> str | None:
        """The key of the row under the cursor."""
        keys = list(self._lines)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    def select(self, key: str) -> None:
        """Put the cursor on this row, if it is there."""
        if key in self._lines:
            self.move_cursor(row=list(self._lines).index(key), animate=False)

    def on_resize(self) -> None:
        if self._all and self.size.width != self._laid_for:
            self._lay()

    def _lay(self) -> None:
        self._laid_for = self.size.width
        whole = self.app.size.width
        drawn = tuple(column for column in self._all if column.least <= whole < column.most)
        taken = sum(column.width + PADDING for column in drawn)
        flexible = sum(column.width == 0 for column in drawn)
        room = (self.size.width or whole) - self.scrollbar_size_vertical - taken
        rest = max(LEAST_REST, room // flexible) if flexible else 0
        current = self.current
        self.clear(columns=True)
        self._drawn = drawn
        for column in drawn:
            self.add_column(Text(column.title), key=column.key, width=column.width or rest)
        self._fill(current)

    def _fill(self, current: str | None = None) -> None:
        keep, top = current or self._under_cursor(), self.scroll_offset.y
        self.clear()
        for line in self._lines.values():
            self.add_row(*(line.cells.get(column.key, Text()) for column in self._drawn), key=line.key)
        if keep is not None and keep in self._lines:
            self.move_cursor(row=list(self._lines).index(keep), animate=False, scroll=False)
            self.scroll_to(y=top, animate=False, immediate=True)

    def _under_cursor(self) -> str | None:
        if not self.is_valid_row_index(self.cursor_row):
            return None
        try:
            return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value
        except RowDoesNotExist:
            return None

    def _change(self, before: Line, after: Line) -> None:
        for column in self._drawn:
            cell = after.cells.get(column.key, Text())
            was = before.cells.get(column.key, Text())
            if cell != was or cell.style != was.style:
                self.update_cell(after.key, column.key, cell)
