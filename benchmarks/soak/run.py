"""One host at work for hours: `python -m benchmarks.soak.run [--minutes M] [--sessions N] [--save]`.

Exit 1 when anything grew that should not.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from benchmarks.queue.systems import machine
from benchmarks.soak.report import chart_of, grown, render
from benchmarks.soak.sample import Sample, take
from registre.database.server import EmbeddedServer
from registre.document import CADASTRE_DU_QUEBEC, DocumentRequest, Source
from registre.job import Order, Status
from registre.settings import Settings
from registre.site.chromium import ensure_chromium
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.server import TwinServer
from registre.wiring import Store, open_store
from tests.integration.test_up import up

RESULTS = Path(__file__).with_name("RESULTS.md")
CHART = RESULTS.with_name("memory.svg")
SAMPLE_SECONDS = 20.0
LOOK_SECONDS = 1.0
AHEAD = 60
"""So many orders wait at most."""


def orders() -> Iterator[Order]:
    """Lots nobody ordered yet, now and then one again."""
    numbers = iter(range(2_000_000, 6_900_000))
    chance = random.Random("soak")
    for number in numbers:
        again = number - chance.randrange(1, 500) if chance.random() < 0.05 and number > 2_000_500 else number
        source = chance.choice((Source.INDEX, Source.INDEX, Source.PLAN))
        yield Order(DocumentRequest(source, str(again), "Montréal", CADASTRE_DU_QUEBEC), client=chance.choice("abc"))


def soak(home: Path, minutes: float, sessions: int, samples: list[Sample]) -> None:
    """Adds to `samples` as it goes, so that what was seen is there whatever ends it."""
    coming = orders()
    accounts = demo_accounts(sessions)
    with (
        TwinServer(TwinConfig(accounts=dict(accounts), loading_seconds=0.3)) as twin,
        open_store(Settings(home=home)) as store,
    ):
        store.gates.set_rule("pace_seconds", 0, "a soak")
        for username, password in accounts:
            store.accounts.add(username, password)
        _fill(store, coming)
        settings = {
            "REGISTRY_BASE_URL": twin.base_url,
            "REGISTRE_MAX_SESSIONS": str(sessions),
            "REGISTRE_CHROMIUM": str(ensure_chromium(os.environ.get("REGISTRE_CHROMIUM"), say=print)),
        }
        with up(home, home / "up.log", **settings) as running, EmbeddedServer(home) as server:
            running.until_said("ready")
            assert server.address is not None
            with psycopg.connect(server.address.dsn, autocommit=True, row_factory=dict_row) as connection:
                began = time.monotonic()
                while (at := time.monotonic() - began) < minutes * 60:
                    if at >= len(samples) * SAMPLE_SECONDS:
                        samples.append(take(at, running.process.pid, server.address.keeper_pid, home, connection))
                        _say(samples[-1], minutes)
                    if running.process.poll() is not None:
                        sys.exit(f"registre up ended: {running.said()[-2000:]}")
                    _fill(store, coming)
                    time.sleep(LOOK_SECONDS)
            running.process.send_signal(signal.SIGTERM)
            running.process.wait(300)


def _fill(store: Store, coming: Iterator[Order]) -> None:
    missing = AHEAD - store.views.counts()[Status.WAITING]
    if missing > AHEAD // 3:
        store.queue.submit([next(coming) for _ in range(missing)])


def _say(sample: Sample, minutes: float) -> None:
    sys.stderr.write(
        f"soak: {sample.at / 60:.0f} of {minutes:.0f} min, {sample.completed} delivered, "
        f"{sum(sample.megabytes.values()):.0f} MB, {sample.files} files, {sample.processes} processes\n"
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak.run", description=__doc__)
    parser.add_argument("--minutes", type=float, default=130)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--save", action="store_true", help="write the report to RESULTS.md, and its chart beside it")
    chosen = parser.parse_args(arguments)
    if chosen.minutes <= 0 or chosen.sessions < 1:
        parser.error("--minutes and --sessions take more than nothing.")
    home = Path(tempfile.mkdtemp(prefix="registre-soak-"))
    home.chmod(0o755)  # the database's own user goes through it
    circumstances = f"{machine()} · registre {version('registre')}, playwright {version('playwright')}"
    samples: list[Sample] = []
    try:
        soak(home, chosen.minutes, chosen.sessions, samples)
    except BaseException:  # whatever it is: hours of looking are told before it goes on
        if len(samples) > 1:
            print(f"\n{render(samples, f'ended before its time · {circumstances}', None, chosen.sessions)}", flush=True)
        raise
    finally:
        shutil.rmtree(home, ignore_errors=True)
    report = render(samples, circumstances, CHART.name if chosen.save else None, chosen.sessions)
    print(f"\n{report}")
    if chosen.save:
        RESULTS.write_text(report + "\n", encoding="utf-8")
        CHART.write_text(chart_of(samples), encoding="utf-8")
    return 1 if grown(samples) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("stopped; every program of it is ended and its folder removed")
