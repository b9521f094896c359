"""The table of the API's benchmark, what its numbers mean, and which targets it misses."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import litestar
import uvicorn

from benchmarks.queue.measures import percentile
from benchmarks.queue.systems import machine

if TYPE_CHECKING:
    from benchmarks.api.run import Results, Taken

MS = 25.0
SHARE = 0.5
DELAY_MS = 250.0
COLUMNS = (1, 8, 32, 0)
BESIDE = {
    "list, first page": "bare: one page",
    "list, filtered": "bare: one page",
    "list, deep": "bare: one page",
    "get": "bare: one row",
}

NOTES = """\
**How it was measured.** One PostgreSQL as the product starts it (fsync on), one process for the API as `registre api`
starts it, one for the bare side, one for all callers; all share the machine, with the database. A time is what a caller
waits for the whole answer over a kept-alive connection. With 1, 8 and 32 connections each asks again as soon as it is
answered: what the API can do. *Office* is eight connections, each of which asks about four times a second: what people
and their pollers do; its p95 is what the target is about.

A page is a hundred orders. *Bare* is a Litestar handler in a thread, as ours are, with one indexed query over a pool of
the same size and its rows as they come: no key is looked at, no total counted, no ETag, no names of the V2. *Create*
writes an order, its event and its fair place, and tells when it may be done. A stream's delay runs from just before the
commit is sent to the line in a reader's hand."""


def render(results: Results) -> tuple[str, list[str]]:
    """The report, and a sentence for each missed target."""
    missed: list[str] = []
    size = results.size
    circumstances = (
        f"{machine()} · PostgreSQL {results.postgres} · Litestar {litestar.__version__.formatted()}, "
        f"uvicorn {uvicorn.__version__} · {datetime.now(UTC):%Y-%m-%d} · {results.seconds:.0f} s · "
        f"{results.patience.disturbed} of {results.patience.measured} measurements disturbed by other programs"
    )
    lines = [
        f"# The API at {size.rows:,} rows",
        "",
        circumstances,
        "",
        "| p50 / p95 ms · answers a second | 1 connection | 8 | 32 | office | target |",
        "|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(name for name, _ in results.taken):
        cells = [_cell(results.taken[name, column]) for column in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} | {_verdict(results, name, missed)} |")
    median, late = statistics.median(results.delays), percentile(results.delays, 95)
    verdict = f"median ≤ {DELAY_MS:.0f} ms: {'met' if median <= DELAY_MS else '**missed**'}"
    if median > DELAY_MS:
        missed.append(f"the stream's median delay is {median:.0f} ms")
    lines += [
        "",
        f"**The stream.** {size.readers} readers, {size.commits} commits: median {median:.0f} ms, p95 {late:.0f} ms; {verdict}.",
        "",
        NOTES,
    ]
    return "\n".join(lines), missed


def _cell(taken: Taken) -> str:
    return f"{taken.p50:.1f} / {taken.p95:.1f} · {taken.rate:.0f}"


def _verdict(results: Results, name: str, missed: list[str]) -> str:
    if name not in BESIDE:
        return ""
    office = results.taken[name, 0].p95
    shares = {
        column: results.taken[name, column].rate / results.taken[BESIDE[name], column].rate for column in COLUMNS[:3]
    }
    ok = office <= MS, min(shares.values()) >= SHARE
    if not ok[0]:
        missed.append(f"{name}: p95 {office:.1f} ms in an office")
    if not ok[1]:
        missed.append(f"{name}: {', '.join(f'{share:.2f}' for share in shares.values())} of the bare side's throughput")
    told = " ".join(f"{share:.2f}" for share in shares.values())
    return (
        f"p95 ≤ {MS:.0f} ms: {'met' if ok[0] else '**missed**'}; ≥ {SHARE:g} × bare: "
        f"{told}: {'met' if ok[1] else '**missed**'}"
    )
