"""Measure our queue beside procrastinate and pgqueuer: `python -m benchmarks.queue.run [--quick] [--save]`.

All three run on one embedded PostgreSQL as the product starts it (fsync on), each in a database of its own, one after the
other, in rounds; a number is the median of its rounds. Exit 1 when one of our targets is missed, 0 in `--quick` all the same.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.queue import measures
from benchmarks.queue.measures import Latency, Reading
from benchmarks.queue.report import render
from benchmarks.queue.systems import HERE, System, environment, make_systems
from benchmarks.queue.wire import ROOT
from registre.database.server import EmbeddedServer


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    rounds: int
    samples: int
    backlog: int
    consumers: tuple[int, ...]
    seconds: float
    waiting: int
    bulk_rows: int
    bulk_repeats: int
    lease_rows: tuple[int, ...]
    leases: int
    readings: int
    patience: float


FULL = Size(3, 200, 100_000, (1, 4, 16), 1.5, 40_000, 10_000, 5, (1_000, 10_000, 100_000, 1_000_000), 200, 9, 100.0)
QUICK = Size(1, 40, 5_000, (1, 4), 0.5, 8_000, 2_000, 1, (1_000, 10_000, 50_000), 50, 3, 3.0)


@dataclass
class Results:
    """Everything that was measured, by system, way and case; lists have one value a round."""

    size: Size
    latency: dict[tuple[str, str, str], list[Latency]] = field(default_factory=lambda: defaultdict(list))
    throughput: dict[tuple[str, str, int], list[float]] = field(default_factory=lambda: defaultdict(list))
    bulk: dict[str, float] = field(default_factory=dict)
    leases: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    readings: list[Reading] = field(default_factory=list)
    patience: measures.Patience = field(default_factory=lambda: measures.Patience(0))
    postgres: str = ""
    seconds: float = 0.0


def say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")


def measure(systems: list[System], size: Size, results: Results) -> None:
    patience = results.patience
    for system in systems:
        results.bulk[system.name] = measures.bulk(system, size.bulk_rows, size.bulk_repeats, patience)
        say(f"{system.name}: {size.bulk_rows} at once in {results.bulk[system.name]:.2f} s")
    for round_number in range(1, size.rounds + 1):
        say(f"round {round_number} of {size.rounds}")
        for case, rows in (("empty", 0), ("backlog", size.backlog)):
            for system in systems:
                if rows == 0:
                    system.empty()
                for mode in ("wait", "work"):
                    if rows:
                        system.fill_to(rows)
                    found = measures.latency(system, mode, size.samples, patience)
                    results.latency[system.name, mode, case].append(found)
                    say(f"{system.name}: {mode}, {case}: p50 {found.p50:.1f} ms, p95 {found.p95:.1f} ms")
        for system in systems:
            for _, mode in system.modes:
                system.empty()
                for number, rate in measures.throughput(
                    system, mode, size.consumers, size.seconds, size.waiting, patience
                ).items():
                    results.throughput[system.name, mode, number].append(rate)
                    say(f"{system.name}: {mode}, {number} consumers: {rate:.0f}/s")
    ours = systems[0]
    ours.empty()
    for rows in size.lease_rows:
        ours.fill_to(rows)
        for _ in range(size.rounds):
            times = patience.calmly(lambda: measures.lease_times(ours, size.leases))
            results.leases[rows].append(statistics.median(times))
        say(f"ours: a lease of {rows} rows takes {statistics.median(results.leases[rows]):.2f} ms in the server")
    ours.fill_to(size.lease_rows[-1])
    results.readings = measures.readings(ours, size.readings)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller numbers, in under a minute")
    parser.add_argument("--save", action="store_true", help="write the table to RESULTS.md too")
    parser.add_argument("--plans", action="store_true", help="print the plans of what people look at")
    chosen = parser.parse_args(arguments)
    size = QUICK if chosen.quick else FULL
    python = environment(ROOT / ".venv" / "bench")
    results = Results(size, patience=measures.Patience(size.patience))
    # not below a folder that only root may enter: the server then runs as another user
    home = Path(tempfile.mkdtemp(prefix="registre-bench-"))
    began = time.monotonic()
    try:
        with EmbeddedServer(home) as server:
            assert server.address is not None
            with psycopg.connect(server.address.dsn) as connection:
                results.postgres = str(connection.execute("show server_version").fetchone()[0])  # type: ignore[index]
            systems = make_systems(server.address.dsn, python)
            measure(systems, size, results)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    results.seconds = time.monotonic() - began
    table, missed = render(results, systems, python)
    print(table)
    if chosen.plans:
        for reading in results.readings:
            print(f"\n{reading.name}\n{reading.plan}")
    if chosen.save:
        (HERE / "RESULTS.md").write_text(table + "\n", encoding="utf-8")
    for each in missed:
        say(f"missed: {each}")
    return 1 if missed and not chosen.quick else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
