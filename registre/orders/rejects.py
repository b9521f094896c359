"""The rows that could not be ordered, as a file to mend in Excel and to import again.

Invariant: it holds every cell as it was, nothing that Excel would compute, and reads back as the same rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from registre.orders.cells import guarded
from registre.orders.columns import REJECT_COLUMNS
from registre.orders.delimited import DELIMITERS
from registre.orders.reading import OrdersFile
from registre.orders.verdicts import Rejected


def render_rejects(file: OrdersFile, rejected: Sequence[Rejected]) -> bytes:
    """UTF-8 with the mark that Excel needs, in the delimiter of the file that came (`;` for a workbook).

    A row with more cells than there are columns keeps them to the right of the reason, so that it is refused again until
    it is mended.
    """
    text = io.StringIO(newline="")
    delimiter = file.delimiter if file.delimiter in DELIMITERS else DELIMITERS[0]  # another would need its `sep=` line
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    width = len(file.header.names)
    places = [place for place in range(width) if place not in file.header.added]
    writer.writerow([*(guarded(file.header.names[place]) for place in places), *REJECT_COLUMNS])
    reasons = {verdict.row: verdict.sentence for verdict in rejected}
    for row in file.rows:
        if row.number in reasons:
            kept = [guarded(row.at(place).text) for place in places]
            beyond = [guarded(cell.text) for cell in row.cells[width:]]
            writer.writerow([*kept, row.number, guarded(reasons[row.number]), *beyond])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "backslashreplace")


def rejects_path(orders: Path) -> Path:
    """The first name beside the input that is free: `orders.rejects.csv`, then `orders.rejects-2.csv`."""
    stem = re.sub(r"\.rejects(-[0-9]+)?$", "", orders.stem)
    names = (f"{stem}.rejects{f'-{n}' if n > 1 else ''}.csv" for n in count(1))
    return next(path for path in map(orders.with_name, names) if not path.exists() and not path.is_symlink())
