"""The one Markdown table of a run, what its numbers mean, and which of our targets it misses."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.queue.systems import System, machine, versions

if TYPE_CHECKING:
    from benchmarks.queue.run import Results

LATENCY_MS = 25.0
BULK_SECONDS_PER_ROW = 2.0 / 10_000
FLAT = 0.20
READING_MS = 20.0

WAYS = {"wait": "consumer waits, takes one job a notice", "work": "consumer works until nothing is left"}

NOTES = """\
**How it was measured.** One PostgreSQL as the product starts it (fsync and synchronous_commit on, autovacuum on), a database \
for each queue, one queue at a time, in rounds; each number is the median of its rounds, and what other programs disturbed was \
repeated while there was time. Clients, consumers and server share the machine. A consumer is a process of its own with one job \
at a time and its listener on.

* *Latency* runs from the moment before the submitter's call (insert and commit included) to the moment the consumer holds the \
job, on the machine's clock; jobs come one at a time from another process. The measured job has priority 10, the backlog \
priority 0, in all three. In the first way the consumer takes exactly one job for each notice, through each library's own calls \
(ours: listener, `lease_next`; procrastinate: `JobManager`; pgqueuer: `Queries.dequeue`), so a backlog can stand still behind \
it. In the second the consumer is the library's own worker and works through the backlog with jobs that do nothing: the \
measured job comes when the consumer is busy. Ours leases again as soon as a job ends, as the fleet does.
* *Throughput* is jobs taken and ended, each in calls of its own, over a queue that does not run empty. Ours writes a fenced \
token, an attempt, and events; each consumer has its own account. procrastinate keeps finished jobs and writes events (its \
default). pgqueuer moves finished jobs to a log; its own manager takes ten and acknowledges many at a time (its default), which \
ours does not, since an account has one session and money is one job's.
* *Drivers* are those each is run with: ours psycopg (binary) in threads, procrastinate psycopg (binary) with asyncio, pgqueuer \
asyncpg with uvloop.
* *Lease time* is the server's own, for one seat, without the commit, with 20 clients of very different sizes and three sources.\
"""


def render(results: Results, systems: Sequence[System], rivals_python: Path) -> tuple[str, list[str]]:
    """The report, and a sentence for each missed target."""
    installed = versions(rivals_python)
    mine = versions(systems[0].python)
    names = {
        "ours": "ours",
        "procrastinate": f"procrastinate {installed['procrastinate']}",
        "pgqueuer": f"pgqueuer {installed['pgqueuer']}",
    }
    missed: list[str] = []
    circumstances = (
        f"{machine()} · PostgreSQL {results.postgres} · registre {mine['registre']}, psycopg {mine['psycopg']} · "
        f"procrastinate {installed['procrastinate']} (psycopg {installed['psycopg']}) · pgqueuer {installed['pgqueuer']} "
        f"(asyncpg {installed['asyncpg']}) · {datetime.now(UTC):%Y-%m-%d} · {results.seconds:.0f} s · "
        f"{results.patience.disturbed} of {results.patience.measured} measurements disturbed by other programs"
    )
    lines = [
        "# The queue, measured",
        "",
        circumstances,
        "",
        f"| what | {' | '.join(names[s.name] for s in systems)} | target |",
        f"|---|{'---|' * len(systems)}---|",
        *_latency(results, systems, missed),
        *_bulk(results, systems, missed),
        *_throughput(results, systems, missed),
        *_leases(results, systems, missed),
        *_readings(results, systems, missed),
        "",
        NOTES,
    ]
    return "\n".join(lines), missed


def _verdict(missed: list[str], ok: bool, target: str, sentence: str) -> str:
    if not ok:
        missed.append(sentence)
    return f"{target}: {'met' if ok else '**missed**'}"


def _latency(results: Results, systems: Sequence[System], missed: list[str]) -> Iterator[str]:
    for way, words in WAYS.items():
        for case, waiting in (("empty", "empty queue"), ("backlog", f"{results.size.backlog:,} waiting")):
            p50, p95 = {}, {}
            for system in systems:
                rounds = results.latency[system.name, way, case]
                p50[system.name] = statistics.median(each.p50 for each in rounds)
                p95[system.name] = statistics.median(each.p95 for each in rounds)
            cells = [f"{p50[s.name]:.1f} / {p95[s.name]:.1f} ms" for s in systems]
            ours = p95["ours"]
            what = f"submit → start p50 / p95, {waiting}; {words}"
            verdict = _verdict(
                missed,
                ours <= LATENCY_MS and ours <= min(p95.values()),
                f"p95 ≤ {LATENCY_MS:.0f} ms and not above either",
                f"{what}: p95 {ours:.1f} ms; {', '.join(f'{k} {v:.1f}' for k, v in p95.items() if k != 'ours')}",
            )
            yield f"| {what} | {' | '.join(cells)} | {verdict} |"


def _bulk(results: Results, systems: Sequence[System], missed: list[str]) -> Iterator[str]:
    rows = results.size.bulk_rows
    limit = BULK_SECONDS_PER_ROW * rows
    cells = [f"{results.bulk[s.name]:.2f} s" for s in systems]
    ours = results.bulk["ours"]
    verdict = _verdict(missed, ours <= limit, f"≤ {limit:.1f} s", f"{rows:,} at once took {ours:.2f} s")
    yield f"| {rows:,} orders in one call | {' | '.join(cells)} | {verdict} |"


def _throughput(results: Results, systems: Sequence[System], missed: list[str]) -> Iterator[str]:
    def rate(system: System, mode: str, number: int) -> float:
        return statistics.median(results.throughput[system.name, mode, number])

    for number in results.size.consumers:
        for index in range(2):
            cells = [f"{rate(s, s.modes[index][1], number):,.0f} ({s.modes[index][0]})" for s in systems]
            what = f"jobs per second, {number} consumer{'s' if number > 1 else ''}"
            verdict = ""
            if index == 0:
                ours = rate(systems[0], "work", number)
                theirs = max(rate(systems[1], mode, number) for _, mode in systems[1].modes)
                verdict = _verdict(
                    missed,
                    ours > theirs,
                    "above procrastinate, either way",
                    f"{what}: {ours:.0f}, procrastinate {theirs:.0f}",
                )
            yield f"| {what} | {' | '.join(cells)} | {verdict} |"


def _leases(results: Results, systems: Sequence[System], missed: list[str]) -> Iterator[str]:
    first = None
    for rows, rounds in results.leases.items():
        median = statistics.median(rounds)
        first = first or median
        change = median / first - 1
        verdict = _verdict(
            missed,
            abs(change) <= FLAT,
            f"±{FLAT:.0%} of the first ({change:+.0%})",
            f"a lease of {rows:,} rows takes {median:.2f} ms, {change:+.0%}",
        )
        yield f"| lease, server time, {rows:,} waiting | {median:.2f} ms |{' |' * (len(systems) - 1)} {verdict} |"


def _readings(results: Results, systems: Sequence[System], missed: list[str]) -> Iterator[str]:
    for reading in results.readings:
        nodes = "; ".join(reading.nodes) or "does not read the queue's table"
        verdict = _verdict(
            missed,
            reading.milliseconds <= READING_MS and not reading.scans_everything,
            f"≤ {READING_MS:.0f} ms, no sequential scan",
            f"{reading.name}: {reading.milliseconds:.1f} ms, {nodes}",
        )
        rows = results.size.lease_rows[-1]
        yield (
            f"| {reading.name}, {rows:,} rows | {reading.milliseconds:.1f} ms, {reading.blocks:,} blocks ({nodes}) "
            f"|{' |' * (len(systems) - 1)} {verdict} |"
        )
