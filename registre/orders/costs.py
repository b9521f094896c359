"""The report of costs as CSV.

Invariant: amounts are in cents, which no locale reads differently; nothing in it is computed by Excel.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, fields

from registre.budget import CostLine
from registre.orders.cells import guarded


def render_costs(by: str, lines: Iterable[CostLine]) -> str:
    """The file's text; its first column is named for what the lines are grouped by."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([by, *[field.name for field in fields(CostLine)][1:]])
    for line in lines:
        key, *numbers = astuple(line)
        writer.writerow([guarded(key), *numbers])
    return text.getvalue()
