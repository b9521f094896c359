"""Measure listings and counts at a million rows: `python -m benchmarks.listing.run [--rows N] [--save]`.

One embedded PostgreSQL as the product starts it. A number is what the caller waits, wire and rows of Python included, for one
page of a hundred through the same gateway as the product's. Exit 1 when a page or the counts take more than the target.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg.rows import dict_row

from benchmarks.queue.measures import Patience
from benchmarks.queue.systems import machine
from registre.database import schema
from registre.database.gateway import DirectGateway
from registre.database.server import EmbeddedServer
from registre.job import JobFilter, Status
from registre.store.views import Reading

HERE = Path(__file__).parent
TARGET_MS = 20.0
PAGE = 100
REPEATS = 40
PATIENCE_SECONDS = 240.0
BATCH = "b0000000-0000-0000-0000-000000000000"
COLUMNS = {
    "status": "status",
    "source": "document_source",
    "client": "client",
    "batch_id": "batch_id",
    "error_kind": "error_kind",
}

ASKED: dict[str, JobFilter] = {
    "everything": JobFilter(),
    "completed": JobFilter(status=Status.DONE),
    "failed": JobFilter(status=Status.FAILED),
    "running: twenty": JobFilter(status=Status.RUNNING),
    "one source": JobFilter(source="plan_cadastraux"),
    "a source nobody ordered": JobFilter(source="testament"),
    "half of all: one client": JobFilter(client="big"),
    "a client whose orders are old": JobFilter(client="small-19"),
    "a client nobody knows": JobFilter(client="nobody"),
    "a batch": JobFilter(batch_id=BATCH),
    "one kind of error": JobFilter(error_kind="not_found"),
    "a kind of error that is old": JobFilter(error_kind="paper_only"),
    "failed plans": JobFilter(status=Status.FAILED, source="plan_cadastraux"),
    "client and status": JobFilter(client="only-actes", status=Status.WAITING),
    "client and source: none of many": JobFilter(client="only-actes", source="plan_cadastraux"),
    "client, source and status: none of many": JobFilter(client="only-actes", source="index", status=Status.FAILED),
    "kind and status: never together": JobFilter(error_kind="not_found", status=Status.DONE),
    "client and kind": JobFilter(client="small-19", error_kind="not_found"),
    "batch and status": JobFilter(batch_id=BATCH, status=Status.FAILED),
    "batch and kind": JobFilter(batch_id=BATCH, error_kind="not_found"),
    "batch, client and kind": JobFilter(batch_id=BATCH, client="big", error_kind="not_found"),
}


@dataclass(frozen=True)
class Taken:
    """Milliseconds."""

    p50: float
    p95: float

    def __str__(self) -> str:
        return f"{self.p50:.1f} / {self.p95:.1f}"


def measure(call: Callable[[], Any]) -> Taken:
    for _ in range(3):
        call()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return Taken(statistics.median(times), statistics.quantiles(times, n=20, method="inclusive")[18])


def cursors(connection: psycopg.Connection[dict[str, Any]], wanted: JobFilter) -> list[str | None]:
    """Where the first page, one in the middle and the last begin; of a list of one page only the first."""
    asked = {column: str(value) for name, column in COLUMNS.items() if (value := getattr(wanted, name)) is not None}
    where = "".join(f" and {column} = %({column})s" for column in asked)
    listed = "select created_at, id from extraction_queue where true" + where  # noqa: S608 - columns of ours
    [row] = connection.execute(f"select count(*) as n from ({listed}) l".encode(), asked).fetchall()  # noqa: S608
    places: list[str | None] = [None]
    for skip in (row["n"] // 2, row["n"] - PAGE) if row["n"] > 2 * PAGE else ():
        found = f"{listed} order by created_at desc, id desc offset {skip - 1} limit 1"
        [last] = connection.execute(found.encode(), asked).fetchall()
        places.append(f"{last['created_at'].isoformat()}_{last['id']}")
    return places


def table(
    views: Reading, connection: psycopg.Connection[dict[str, Any]], patience: Patience
) -> tuple[list[str], list[str]]:
    """Lines of the table, and what missed the target. What other programs disturbed is repeated while there is time."""
    lines = ["| p50 / p95, ms | first page | middle | last page |", "|---|---|---|---|"]
    missed = []

    def line(name: str, taken: Sequence[Taken]) -> None:
        cells = [str(each) for each in taken] + [""] * (3 - len(taken))
        lines.append(f"| {name} | {' | '.join(cells)} |")
        if any(each.p95 > TARGET_MS for each in taken):
            missed.append(f"{name}: {', '.join(map(str, taken))} ms")
        sys.stderr.write(f"bench: {name}: {', '.join(map(str, taken))} ms\n")

    line("counts of each status", [patience.calmly(lambda: measure(views.counts))])
    for name, wanted in ASKED.items():
        pages = cursors(connection, wanted)
        line(name, [patience.calmly(partial(measure, partial(views.page, wanted, cursor, PAGE))) for cursor in pages])
    return lines, missed


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.listing.run", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--save", action="store_true", help="write the table to RESULTS.md too")
    chosen = parser.parse_args(arguments)
    # not below a folder that only root may enter: the server then runs as another user
    home = Path(tempfile.mkdtemp(prefix="registre-bench-"))
    try:
        with EmbeddedServer(home) as server:
            assert server.address is not None
            with (
                DirectGateway(server.address.dsn) as gateway,
                psycopg.connect(server.address.dsn, autocommit=True, row_factory=dict_row) as connection,
            ):
                schema.upgrade(gateway)
                began = time.monotonic()
                with connection.transaction():
                    for statement in (HERE / "fill.sql").read_text("utf-8").split(";\n"):
                        connection.execute(statement.encode(), {"rows": chosen.rows})
                connection.execute("vacuum (analyze)")
                sys.stderr.write(f"bench: {chosen.rows:,} rows in {time.monotonic() - began:.0f} s\n")
                patience = Patience(PATIENCE_SECONDS)
                psutil.cpu_percent()
                lines, missed = table(Reading(gateway), connection, patience)
                busy = psutil.cpu_percent()
                [version] = connection.execute("show server_version").fetchall()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    text = "\n".join([
        f"# Listings at {chosen.rows:,} rows",
        "",
        f"{machine()} · PostgreSQL {version['server_version']} · {datetime.now(UTC):%Y-%m-%d} · {REPEATS} calls each, after 3 · "
        f"{patience.disturbed} of {patience.measured} measurements disturbed by other programs, the processors {busy:.0f} % busy "
        f"over all · target: p95 ≤ {TARGET_MS:.0f} ms: "
        + ("met" if not missed else "**missed**"),
        "",
        *lines,
        "",
        "A page is a hundred jobs; its time is what the caller waits, with the wire and the making of the objects. A list of one",
        "or two pages has no middle. The counts are read from 2 000 differences not yet folded together.",
    ])  # fmt: skip
    print(text)
    if chosen.save:
        (HERE / "RESULTS.md").write_text(text + "\n", encoding="utf-8")
    for each in missed:
        sys.stderr.write(f"bench: missed: {each}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
