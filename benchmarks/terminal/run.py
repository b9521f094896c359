"""Measure the terminal dashboard before a million orders: `python -m benchmarks.terminal.run [--rows N] [--save]`.

One embedded PostgreSQL, the API as the product serves it in a process of its own, and the dashboard without a terminal. A key is
measured from its press until everything it changed is drawn, and held against one that does nothing, which is what the test
harness waits; a page also until its orders have come. The same keys are then pressed while 5 000 events a second are written, and
come by the API's stream. Exit 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import psycopg

from benchmarks.queue.systems import machine
from registre.access import Role, make_key
from registre.database import schema
from registre.database.gateway import DirectGateway
from registre.database.server import EmbeddedServer
from registre.language import Language
from registre.store.keys import Keys
from tui.app import Dashboard
from tui.client import Client
from tui.model import Link, Model

HERE = Path(__file__).parent
FILL = HERE.parent / "listing" / "fill.sql"
KEY_MS, PAINT_MS, FLOODED_KEY_MS = 50.0, 500.0, 100.0
FLOOD, WAVES = 5000, 20
"""Events a second, and in how many transactions they are written."""
REPEATS = 30
SIZE = (160, 50)
NOTHING = "x, which does nothing: the harness itself"
FLOODED_NOTHING, FLOODED_KEY = "x, in the flood", "j, k, in the flood"

Taken = list[float]


def fill(dsn: str, rows: int) -> str:
    """The orders, and the text of a key."""
    with DirectGateway(dsn) as gateway:
        schema.upgrade(gateway)
        key = make_key()
        Keys(gateway).add(key, "bench", Role.OPERATOR, "bench")
    with psycopg.connect(dsn, autocommit=True) as connection:
        with connection.transaction():
            for statement in FILL.read_text("utf-8").split(";\n"):
                connection.execute(statement.encode(), {"rows": rows})
        connection.execute("vacuum (analyze)")
    return key.text


@contextmanager
def flooding(dsn: str) -> Iterator[Callable[[], int]]:
    """Steps of orders, `FLOOD` a second, until it is left; gives how many were written so far."""
    written, stop = 0, Event()

    def pour() -> None:
        nonlocal written
        with psycopg.connect(dsn, autocommit=True) as connection:
            due = time.monotonic()
            while not stop.wait(max(0.0, due - time.monotonic())):
                due += 1 / WAVES
                connection.execute(
                    "with poured as (insert into registre.events (at, kind, job_id, data) "
                    "select clock_timestamp(), 'job.step', q.id, '{\"step\": \"waiting for the viewer\"}' "
                    "from (select id from extraction_queue limit %s) q returning 1) select registre.ring() from (select 1) one",
                    [FLOOD // WAVES],
                )
                written += FLOOD // WAVES

    thread = Thread(target=pour, daemon=True)
    thread.start()
    try:
        yield lambda: written
    finally:
        stop.set()
        thread.join(10)


async def measure(address: str, key: str, dsn: str) -> tuple[dict[str, Taken], str]:
    """Milliseconds by what was done; and in words, what the flood was."""
    client = Client(address, key)
    model = Model(caller=await client.check())
    app = Dashboard(client, model, spoken=Language.FRENCH)
    taken: dict[str, Taken] = {}
    async with app.run_test(size=SIZE) as pilot:

        async def until(look: Callable[[], object]) -> None:
            async with asyncio.timeout(30):
                while not look():
                    await asyncio.sleep(0.001)

        async def timed(name: str, work: Callable[[], Awaitable[object]]) -> None:
            began = time.perf_counter()
            await work()
            taken.setdefault(name, []).append((time.perf_counter() - began) * 1000)

        def at_rest() -> bool:
            return not [worker for worker in app.workers if worker.group == "load" and not worker.is_finished]

        await until(lambda: model.overview is not None)
        begun = time.perf_counter()
        await until(lambda: app.paints > 0)
        await pilot.pause()
        taken["first paint after the answer"] = [(time.perf_counter() - begun) * 1000]
        await until(lambda: model.link is Link.LIVE and model.pulse is not None)

        await pilot.press("2")
        await until(at_rest)
        for number in range(REPEATS):
            await timed(NOTHING, lambda: pilot.press("x"))
            await timed("j, k", lambda number=number: pilot.press("k" if number % 8 > 5 else "j"))  # type: ignore[misc]
            await timed("space", lambda: pilot.press("space"))

        async def next_page() -> None:
            await pilot.press("n")
            await until(at_rest)
            await pilot.pause()

        for _ in range(REPEATS):
            await timed("n, until the page is there", next_page)
        for number in range(REPEATS):
            await timed("1, 2: another view", lambda number=number: pilot.press(str(1 + number % 2)))  # type: ignore[misc]

        await pilot.press("1")
        with flooding(dsn) as written:
            before = model.heard
            await until(lambda: model.heard > before)
            begun, heard, poured, painted = time.monotonic(), model.heard, written(), app.paints
            for number in range(REPEATS):
                await timed(FLOODED_NOTHING, lambda: pilot.press("x"))
                await timed(FLOODED_KEY, lambda number=number: pilot.press("k" if number % 8 > 5 else "j"))  # type: ignore[misc]
            seconds = time.monotonic() - begun
            rates = [
                (now - then) / seconds
                for now, then in ((written(), poured), (model.heard, heard), (app.paints, painted))
            ]
            flood = "{:,.0f} events a second were written, {:,.0f} came, drawn {:.1f} times a second".format(*rates)
    await client.close()
    return taken, flood


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.terminal.run", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--save", action="store_true", help="write the table to RESULTS.md too")
    chosen = parser.parse_args(arguments)
    home = Path(tempfile.mkdtemp(prefix="registre-bench-"))
    try:
        with EmbeddedServer(home) as server:
            assert server.address is not None
            key = fill(server.address.dsn, chosen.rows)
            with subprocess.Popen(
                [sys.executable, "-m", "registre.cli", "api", "--port", "0", "--stop-with-stdin"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "DATABASE_URL": server.address.dsn, "REGISTRE_HOME": str(home)},
            ) as api:
                assert api.stdin is not None
                assert api.stdout is not None
                taken, flood = asyncio.run(measure(api.stdout.readline().strip(), key, server.address.dsn))
                api.stdin.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    lines, missed = [], []
    harness = statistics.median(taken[NOTHING])
    for name, times in taken.items():
        is_paint = name.startswith("first")
        p50, p95 = statistics.median(times), statistics.quantiles([*times, *times], n=20, method="inclusive")[18]
        own = p50 if is_paint else max(0.0, p50 - harness)
        targets = {"j, k": KEY_MS, "space": KEY_MS, FLOODED_KEY: FLOODED_KEY_MS}
        target = PAINT_MS if is_paint else targets.get(name)
        lines.append(f"| {name} | {p50:.0f} / {p95:.0f} | {own:.0f} | {f'{target:.0f}' if target else ''} |")
        if target and own > target:
            missed.append(name)
    ratio = statistics.median(taken[FLOODED_KEY]) / statistics.median(taken["j, k"])
    text = "\n".join([
        f"# The terminal dashboard before {chosen.rows:,} orders",
        "",
        f"{machine()} · {datetime.now(UTC):%Y-%m-%d} · {SIZE[0]}×{SIZE[1]} · {REPEATS} times each · "
        + ("targets met" if not missed else f"**missed**: {', '.join(missed)}"),
        "",
        "| ms | p50 / p95 | without the harness | target |",
        "|---|---|---|---|",
        *lines,
        "",
        "From the press until all is drawn. A page is a hundred orders, by cursor over HTTP; keys go on meanwhile.",
        "",
        f"In the flood {flood}. A key took {ratio:.1f} times as long in it, the harness included.",
        "The third column has what the harness waits in a quiet moment taken off, in the flood too.",
    ])  # fmt: skip
    print(text)
    if chosen.save:
        (HERE / "RESULTS.md").write_text(text + "\n", encoding="utf-8")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
