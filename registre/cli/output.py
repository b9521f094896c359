"""How results are shown: tables for people, JSON for programs.

Invariant: a text from outside is neither markup nor a command to the terminal, whoever wrote it into a row.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from registre.job import Status
from registre.plain import as_json_escapes, harmless

GLYPHS = {Status.WAITING: "…", Status.RUNNING: "▶", Status.DONE: "✓", Status.FAILED: "✗"}
COLOURS = {Status.WAITING: "yellow", Status.RUNNING: "cyan", Status.DONE: "green", Status.FAILED: "red"}

console = Console(highlight=False)
if not console.is_terminal:
    console = Console(highlight=False, width=180)  # a file or a pipe has no width of its own; do not fold at 80


def one_line(value: Any) -> str:
    """JSON in one line; instants in ISO 8601, UTC."""
    return as_json_escapes(json.dumps(value, default=_plain, ensure_ascii=False))


def show_json(value: Any) -> None:
    """One JSON document on stdout; instants in ISO 8601, UTC."""
    lines = json.dumps(value, default=_plain, ensure_ascii=False, indent=2).split("\n")
    console.file.write("\n".join(map(as_json_escapes, lines)) + "\n")


def show_text(text: str) -> None:
    """One line, as it is."""
    console.print(Text(harmless(text)), soft_wrap=True)


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table; texts from outside are shown as they are, never as markup."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*[cell if isinstance(cell, Text) else Text(harmless(str(cell))) for cell in row])
    console.print(table)


def status_text(status: Status) -> Text:
    """Glyph, word and colour."""
    return Text(f"{GLYPHS[status]} {status}", style=COLOURS[status])


def dollars(cents: int) -> str:
    """`150` → `'1,50 $'`, with a no-break space."""
    return f"{cents // 100},{cents % 100:02d}\u00a0$"


def clock(at: datetime | None) -> str:
    """Local time of day, to the millisecond; '' for None."""
    return at.astimezone().strftime("%H:%M:%S.%f")[:-3] if at else ""


def moment(at: datetime | None) -> str:
    """Local day and time; '' for None."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if at else ""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
