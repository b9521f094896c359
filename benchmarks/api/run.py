"""Measure the API at a million rows, beside a bare Litestar: `python -m benchmarks.api.run [--quick] [--save]`.

One embedded PostgreSQL as the product starts it; each side is a process of its own, and so are the callers. A time is what a
caller waits for the whole answer over a kept-alive connection. Exit 1 when a target is missed, 0 in `--quick` all the same.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import dict_row

from api import paging
from benchmarks.api.report import render
from benchmarks.queue.measures import Patience, percentile
from benchmarks.queue.wire import Child, ChildFailed
from registre.access import Role, make_key
from registre.database import schema
from registre.database.gateway import DirectGateway
from registre.database.server import EmbeddedServer
from registre.store.keys import Keys

HERE = Path(__file__).parent
FILL = HERE.parent / "listing" / "fill.sql"
PYTHON = Path(sys.executable)
CONNECTIONS = (1, 8, 32)
OFFICE, OFFICE_PAUSE = 8, 0.25
"""Eight people, each of whom asks for something four times a second: far more than a hand can, and what dashboards poll."""


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    rows: int
    seconds: float
    readers: int
    commits: int
    patience: float


FULL = Size(1_000_000, 4.0, 200, 100, 240.0)
QUICK = Size(20_000, 1.0, 50, 20, 5.0)


@dataclass(frozen=True)
class Taken:
    """Milliseconds, and answers a second."""

    p50: float
    p95: float
    rate: float


@dataclass
class Results:
    """What was measured; a case is (name, connections), or (name, 0) for the office."""

    size: Size
    taken: dict[tuple[str, int], Taken] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    patience: Patience = field(default_factory=lambda: Patience(0))
    postgres: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Side:
    """A running server and its callers."""

    address: str
    key: str
    callers: Child

    @property
    def place(self) -> dict[str, Any]:
        parts = urlsplit(self.address)
        return {"host": parts.hostname, "port": parts.port, "key": self.key}

    def load(self, requests: list[list[str]], connections: int, seconds: float, pause: float = 0.0) -> Taken:
        answer = self.callers.ask(
            "load", **self.place, requests=requests, connections=connections, seconds=seconds, pause=pause
        )
        times = answer["times"]
        if len(times) < 2:
            raise ChildFailed(f"nothing was answered within {seconds:.0f} s")
        return Taken(statistics.median(times), percentile(times, 95), len(times) / answer["seconds"])


def say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")


def fill(connection: psycopg.Connection[Any], rows: int) -> None:
    with connection.transaction():
        for statement in FILL.read_text("utf-8").split(";\n"):
            connection.execute(statement.encode(), {"rows": rows})
    connection.execute("vacuum (analyze)")


def orders() -> Iterator[list[str]]:
    """Orders of documents that nobody ordered yet."""
    number = random.randrange(10_000_000, 50_000_000)
    while True:
        number += 1
        order = {"document_source": "index", "document_number": str(number), "cadastre": "Cadastre du Québec"}
        yield ["POST", "/api/extractions", json.dumps(order)]


def asked(connection: psycopg.Connection[Any]) -> dict[str, list[list[str]]]:
    """The requests of each case; what they name is there."""
    ids = [
        str(row["id"]) for row in connection.execute("select id from extraction_queue order by id limit 500").fetchall()
    ]
    [middle] = connection.execute(
        "select created_at, id from extraction_queue order by created_at desc offset "
        "(select count(*) / 2 from extraction_queue) limit 1"
    ).fetchall()
    cursor = paging.shown(f"{middle['created_at'].isoformat()}_{middle['id']}")
    create = orders()
    return {
        "list, first page": [["GET", "/api/extractions"]],
        "list, filtered": [["GET", "/api/extractions?client=big&status=failed"]],
        "list, deep": [["GET", f"/api/extractions?cursor={cursor}"]],
        "get": [["GET", f"/api/extractions/{each}"] for each in ids],
        "create": [next(create) for _ in range(20_000)],
        "/api/metrics": [["GET", "/api/metrics"]],
        "/metrics": [["GET", "/metrics"]],
        "/api/overview": [["GET", "/api/overview"]],
        "bare: one row": [["GET", f"/one/{each}"] for each in ids],
        "bare: one page": [["GET", "/page"]],
    }


def measure(ours: Side, bare: Side, requests: dict[str, list[list[str]]], results: Results) -> None:
    size, patience = results.size, results.patience
    for name, asked_for in requests.items():
        side = bare if name.startswith("bare") else ours
        side.load(asked_for, 8, min(1.0, size.seconds))  # connections and plans are made in the first few
        for connections in (*CONNECTIONS, 0):
            count, pause = (connections, 0.0) if connections else (OFFICE, OFFICE_PAUSE)
            seconds = size.seconds * (2 if pause else 1)  # fewer are asked
            random.shuffle(asked_for)

            def once(side: Side = side, count: int = count, seconds: float = seconds, pause: float = pause) -> Taken:
                return side.load(asked_for, count, seconds, pause)  # noqa: B023 - called at once

            found = results.taken[name, connections] = patience.calmly(once)
            say(
                f"{name}, {connections or 'office'}: p50 {found.p50:.1f} ms, p95 {found.p95:.1f} ms, {found.rate:.0f}/s"
            )


def follow(ours: Side, connection: psycopg.Connection[Any], results: Results) -> None:
    """From just before the commit is sent to each reader's line."""
    size = results.size
    ours.callers.ask("listen", **ours.place, readers=size.readers)
    numbers = orders()

    def commits() -> list[float]:
        sent: dict[str, float] = {}
        for _ in range(size.commits):
            order = json.loads(next(numbers)[2])
            fields = {
                "source": order["document_source"],
                "number": order["document_number"],
                "cadastre": order["cadastre"],
            }
            with connection.transaction():
                [row] = connection.execute(
                    "select id from registre.submit_jobs(%s::jsonb)", (json.dumps([fields]),)
                ).fetchall()
                sent[str(row["id"])] = time.time()
            time.sleep(random.uniform(0.05, 0.15))
        deadline = time.monotonic() + 10
        while True:
            heard = ours.callers.ask("heard")["heard"]
            whole = [each for each in sent if len(heard.get(each, ())) == size.readers]
            if len(whole) == len(sent):
                return [(at - sent[each]) * 1000 for each in sent for at in heard[each]]
            if time.monotonic() > deadline:
                raise ChildFailed(f"{len(sent) - len(whole)} of {len(sent)} orders were not heard of by every reader")
            time.sleep(0.1)

    commits()  # once for nothing, as everywhere
    results.delays = results.patience.calmly(commits)
    ours.callers.ask("leave")
    say(f"{size.readers} readers: {statistics.median(results.delays):.0f} ms")


def run(dsn: str, results: Results) -> None:
    key = make_key()
    with (
        DirectGateway(dsn) as gateway,
        psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as connection,
    ):
        schema.upgrade(gateway)
        [version] = connection.execute("show server_version").fetchall()
        results.postgres = str(version["server_version"])
        began = time.monotonic()
        fill(connection, results.size.rows)
        say(f"{results.size.rows:,} rows in {time.monotonic() - began:.0f} s")
        Keys(gateway).add(key, "the benchmark", Role.ADMIN, "the benchmark")
        started = [
            Child(PYTHON, "benchmarks.api.server", "ours", dsn),
            Child(PYTHON, "benchmarks.api.server", "bare", dsn),
            Child(PYTHON, "benchmarks.api.load", "callers", dsn),
        ]
        try:
            ours, bare, _ = (child.hear() for child in started)
            api, beside = (Side(each["address"], key.text, started[2]) for each in (ours, bare))
            measure(api, beside, asked(connection), results)
            follow(api, connection, results)
        finally:
            for child in started:
                child.close()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller numbers, in about a minute")
    parser.add_argument("--save", action="store_true", help="write the table to RESULTS.md too")
    chosen = parser.parse_args(arguments)
    size = QUICK if chosen.quick else FULL
    results = Results(size, patience=Patience(size.patience))
    began = time.monotonic()
    # not below a folder that only root may enter: the server then runs as another user
    home = Path(tempfile.mkdtemp(prefix="registre-bench-"))
    try:
        with EmbeddedServer(home) as server:
            assert server.address is not None
            run(server.address.dsn, results)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    results.seconds = time.monotonic() - began
    text, missed = render(results)
    print(text)
    if chosen.save:
        (HERE / "RESULTS.md").write_text(text + "\n", encoding="utf-8")
    for each in missed:
        say(f"missed: {each}")
    return 1 if missed and not chosen.quick else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
