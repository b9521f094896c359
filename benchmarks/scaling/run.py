"""Measure how a fleet of hosts grows: `python -m benchmarks.scaling.run [--quick] [--hosts N …] [--save]`.

Each size is a fleet of its own on an emptied database, in three regimes: nothing to do, orders that trickle in, and a backlog.
Exit 1 when an order, an account or a document was ever in two hands, or the cost of a host is not flat; 0 in `--quick` unless the
first.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import psycopg

from benchmarks.crashes.stage import Place
from benchmarks.queue.wire import Child, children
from benchmarks.scaling.measures import Doubles, Watch, Window, doubles, memory_mb
from benchmarks.scaling.report import render
from benchmarks.scaling.server import roomy_server
from registre.database.gateway import DirectGateway
from registre.document import DocumentRequest, Source
from registre.job import Order
from registre.store.jobs import Jobs

HERE = Path(__file__).parent
ACCOUNTS = 20
PROCESSES = 4


@dataclass(frozen=True)
class Size:
    """Sizes of fleets, seconds of each regime, and how long an order takes on the site."""

    hosts: tuple[int, ...]
    idle: float
    trickle: float
    trickle_seconds: float
    orders_each_second: float
    warm: float
    full: float
    order_seconds: float


# Warm until autovacuum, which looks once a minute, has removed what the first rush left: with it a lease touches twice the pages.
FULL = Size((1, 5, 10, 25, 50), 15, 20, 1.0, 4, 120, 60, 60.0)
QUICK = Size((1, 3), 4, 4, 0.5, 4, 4, 6, 4.0)


@dataclass(frozen=True)
class Step:
    """One size of fleet, measured."""

    hosts: int
    idle: Window
    trickle: Window
    full: Window
    doubles: Doubles
    clean: bool
    memory_mb: float


def say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")


class Orders:
    """Puts orders in as another program would; no document twice."""

    def __init__(self, gateway: DirectGateway) -> None:
        self._jobs = Jobs(gateway)
        self._given = 0

    def give(self, many: int) -> list[str]:
        orders = [
            Order(
                DocumentRequest(Source.INDEX, str(1_000_000 + self._given + n), "Montréal", "Cadastre du Québec"),
                client=f"client {(self._given + n) % 20}",
            )
            for n in range(many)
        ]
        self._given += many
        return [str(job) for job in self._jobs.submit(orders)]


def measure(dsn: str, size: Size, hosts: int, home: Path) -> Step:
    processes = min(PROCESSES, hosts)
    make: list[Callable[[], Child]] = [
        lambda: Child(Path(sys.executable), "benchmarks.scaling.hosts", str(home), dsn) for _ in range(processes)
    ]
    with psycopg.connect(dsn, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        Place(dsn, connection).empty()
        connection.execute(
            "insert into worker_accounts (username, password) select 'S' || to_char(n, 'FM0000'), 'made up' "
            "from generate_series(1, %s) n",
            [hosts * ACCOUNTS],
        )
        connection.execute("vacuum analyze")
    with children(*make) as started, DirectGateway(dsn) as gateway:
        watch, orders = Watch(dsn, started), Orders(gateway)
        names = [f"host-{n:02}" for n in range(hosts)]
        for n, child in enumerate(started):
            child.tell("start", names=names[n::processes], accounts=ACCOUNTS, order_seconds=size.trickle_seconds)
        for child in started:
            child.hear(120)
        wait_for(lambda: watch.sessions() == hosts * ACCOUNTS, "not every session opened", 180)
        settle(12)  # until each connection has told what it did at the start
        idle = watch.window(size.idle)
        say(f"{hosts} hosts idle: {idle.statements:.0f} statements/s, {idle.server_ms:.0f} ms/s in the server")

        given: list[str] = []

        def trickle_in(seconds: float) -> None:
            pause = Event()
            for _ in range(math.floor(seconds * size.orders_each_second)):
                given.extend(orders.give(1))
                pause.wait(1 / size.orders_each_second)

        trickle = watch.window(size.trickle, trickle_in)
        trickle.waits = [
            row["ms"]
            for row in watch.rows(
                "select extract(epoch from a.started_at - q.created_at)::double precision * 1000 as ms "
                "from registre.attempts a join extraction_queue q on q.id = a.job_id "
                "where a.number = 1 and q.id = any (%s::uuid[])",
                given,
            )
        ]
        asked = trickle.calls["lease_next"] / len(given)
        say(f"{hosts} hosts, {size.orders_each_second:g} orders/s: asked {asked:.1f} times for each order")
        for child in started:
            child.ask("pace", order_seconds=size.order_seconds)
        expected = hosts * ACCOUNTS / size.order_seconds * (size.warm + size.full)
        orders.give(math.ceil(hosts * ACCOUNTS * 1.5 + expected * 1.5))
        wait_for(
            lambda: (
                watch.number("select count(*) as n from extraction_queue where status = 'En traitement'")
                >= hosts * ACCOUNTS * 0.95
            ),
            "not every account works",
            120,
        )
        settle(size.warm)
        full = watch.window(size.full)
        say(
            f"{hosts} hosts at work: {full.ended / full.seconds:.1f} orders/s, {full.statements:.0f} statements/s, "
            f"{full.server_ms / hosts:.2f} ms/s a host, machine {full.busy:.0%} busy, others {full.others:.0%}"
        )
        held = memory_mb()
        for child in started:
            child.tell("stop")
        told = [child.hear(300) for child in started]
        found = doubles(watch, told)
        watch.close()
    return Step(hosts, idle, trickle, full, found, all(each["clean"] for each in told), held)


def wait_for(look: Callable[[], bool], otherwise: str, seconds: float) -> None:
    until, pause = time.monotonic() + seconds, Event()
    while not look():
        if time.monotonic() > until:
            raise SystemExit(f"bench: {otherwise} within {seconds:.0f} s")
        pause.wait(0.2)


def settle(seconds: float) -> None:
    """Let the first rush pass, which is no part of what is measured."""
    Event().wait(seconds)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two small fleets, in little more than a minute")
    parser.add_argument(
        "--hosts", type=int, nargs="+", metavar="N", help="these sizes of fleets instead of all, up to 60"
    )
    parser.add_argument("--save", action="store_true", help="write the table to RESULTS.md too")
    chosen = parser.parse_args(arguments)
    size = QUICK if chosen.quick else FULL
    if chosen.hosts:
        if not all(1 <= hosts <= 60 for hosts in chosen.hosts):
            parser.error("--hosts takes sizes from 1 to 60: the server has no connections for more.")
        size = replace(size, hosts=tuple(sorted(chosen.hosts)))
    # Spools and buckets are in memory where there is some: the disk is no part of what is measured.
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 1_000_000_000
    home = Path(tempfile.mkdtemp(prefix="registre-scaling-", dir=memory if roomy else None))
    began, steps = time.monotonic(), []
    try:
        with roomy_server() as (dsn, precedence):
            if not precedence:
                say("not permitted to put PostgreSQL before the hosts: times hold what it waits for a processor")
            for hosts in size.hosts:
                steps.append(measure(dsn, size, hosts, home / str(hosts)))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    table, missed = render(steps, size, ACCOUNTS, time.monotonic() - began, precedence)
    print(table)
    doubled = [step for step in steps if step.doubles.total]
    if chosen.save:
        (HERE / "RESULTS.md").write_text(table + "\n", encoding="utf-8")
    for each in missed:
        say(f"missed: {each}")
    return 1 if doubled or (missed and not chosen.quick) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("stopped; every program of it is ended and its folder removed")
