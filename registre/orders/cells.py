"""What a row of an order file holds, whatever the file was, and which of its cells cannot be taken at their word.

Invariant: `fault` says, in a sentence, why a cell is not usable; its text is kept, so that it can be shown and mended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from registre.errors import InvalidInput

MAX_FILE_BYTES = 10_000_000
MAX_ROWS = 10_000
MAX_COLUMNS = 100
HEADER_WITHIN = 10
"""The header stands in one of so many first rows; above it there may be titles."""

_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n＝＋－＠]")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")
_BROKEN = re.compile("\ufffd|Ã[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€")
"""What became of an accent that was read in the wrong encoding, by this program or by another before it: `MontrÃ©al`."""


class Kind(Enum):
    """How the file held the cell; a CSV knows only texts."""

    TEXT = auto()
    NUMBER = auto()
    DATE = auto()


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. A date's text is ISO 8601, without its time when that is midnight; a formula's is the formula."""

    text: str
    kind: Kind = Kind.TEXT
    fault: str = ""


NOTHING = Cell("")


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not empty. `number` is the one Excel shows; `width` counts the empty cells at its end too, which `cells`
    is without; `fault` concerns the row as a whole."""

    number: int
    cells: tuple[Cell, ...]
    width: int
    fault: str = ""

    def at(self, column: int) -> Cell:
        return self.cells[column] if column < len(self.cells) else NOTHING


def text_cell(text: str) -> Cell:
    """A cell as typed: without spaces around it, and without the apostrophe that `guarded` put before it."""
    if not text:
        return NOTHING
    typed = unguarded(text.strip())
    if _BROKEN.search(typed):
        return Cell(typed, fault=f"'{typed[:60]}' has broken accents; save the file again as 'CSV UTF-8' or .xlsx.")
    return Cell(typed)


def would_compute(text: str) -> bool:
    """Whether Excel, opening a CSV, would take this text for a formula. A plain number such as -5 is none."""
    return _FORMULA.match(text) is not None and not _PLAIN_NUMBER.fullmatch(text)


def guarded(text: str) -> str:
    """`text` for a cell of a CSV that is opened in Excel: an apostrophe goes before what it would compute."""
    return f"'{text}" if would_compute(text) else text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if text.startswith("'") and would_compute(text[1:]) else text


def trimmed(cells: list[Cell], number: int) -> tuple[Cell, ...]:
    """`cells` without the empty ones at the end, which Excel likes to write by the thousand."""
    last = len(cells)
    while last and cells[last - 1] == NOTHING:
        last -= 1
    if last > MAX_COLUMNS:
        raise InvalidInput(f"row {number}", f"it has more than {MAX_COLUMNS} columns; is this a file of orders?")
    return tuple(cells[:last])
