"""Kill the worker at every point of a job's life: `python -m benchmarks.crashes.run [--runs N] [--seed S] [--only NUMBER]`.

Each run's orders and kills follow from the seed and its number. Exit 1 when any law was broken; the homes of those runs stay.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock

from benchmarks.crashes.crash import Outcome, Run
from benchmarks.crashes.plan import KILLS, make_plan
from benchmarks.crashes.report import render
from benchmarks.crashes.stage import Stage, server, stage
from benchmarks.queue.systems import machine

RESULTS = Path(__file__).with_name("RESULTS.md")


class Progress:
    """One line on a terminal; elsewhere one for each ten runs; and one for each run that failed."""

    def __init__(self, runs: int) -> None:
        self._runs = runs
        self._done = self._failed = 0
        self._began = time.monotonic()
        self._guard = Lock()

    def note(self, outcome: Outcome, seed: int) -> None:
        with self._guard:
            self._done += 1
            if outcome.breaches:
                self._failed += 1
                kills = ", ".join(kill.point for kill in outcome.killed)
                what = "; ".join(breach.sentence for breach in outcome.breaches)
                self._say(f"run {outcome.plan.seed} of seed {seed} ({kills}): {what} — {outcome.kept}", "\n")
            terminal = sys.stderr.isatty()
            if terminal or self._done % 10 == 0 or self._done == self._runs:
                pace = (time.monotonic() - self._began) / self._done
                left = pace * (self._runs - self._done)
                self._say(
                    f"{self._done} of {self._runs}, {self._failed} failed, {pace:.1f} s each, about {left / 60:.0f} min left",
                    "" if terminal and self._done < self._runs else "\n",
                )

    def _say(self, text: str, end: str) -> None:
        sys.stderr.write(("\r\033[K" if sys.stderr.isatty() else "") + text + end)
        sys.stderr.flush()


def series(on: Stage, seed: int, numbers: Sequence[int], at_once: int) -> Iterator[Outcome]:
    """The runs, as they end."""
    ended: SimpleQueue[Outcome | BaseException] = SimpleQueue()
    waiting = iter(numbers)
    guard, stop = Lock(), Event()

    def work() -> None:
        try:
            with on.place() as place:
                while not stop.is_set():
                    with guard:
                        number = next(waiting, None)
                    if number is None:
                        return
                    ended.put(Run(on, place, make_plan(seed, number, on.twin.twin.registry)).perform())
        except BaseException as error:
            ended.put(error)

    with ThreadPoolExecutor(at_once, thread_name_prefix="run") as pool:
        for _ in range(at_once):
            pool.submit(work)
        try:
            for _ in numbers:
                outcome = ended.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                yield outcome
        finally:
            stop.set()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crashes.run", description=__doc__)
    parser.add_argument("--runs", type=int, default=3 * len(KILLS), help="how many runs; each point comes in its turn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", type=int, action="append", help="this run of the series, by its number; may be repeated"
    )
    parser.add_argument("--at-once", type=int, default=1, choices=(1, 2), help="how many runs at a time")
    parser.add_argument("--save", action="store_true", help="write the table to RESULTS.md too")
    chosen = parser.parse_args(arguments)
    numbers = chosen.only or range(chosen.runs)
    outcomes: list[Outcome] = []
    progress = Progress(len(numbers))
    began = time.monotonic()
    with server() as dsn, stage(dsn) as on:
        with on.place() as place:
            [postgres] = place.read("show server_version")
        for outcome in series(on, chosen.seed, numbers, chosen.at_once):
            outcomes.append(outcome)
            progress.note(outcome, chosen.seed)
    circumstances = (
        f"{machine()} · PostgreSQL {postgres['server_version']} · registre {version('registre')}, "
        f"playwright {version('playwright')} · seed {chosen.seed}"
    )
    table = render(outcomes, circumstances, time.monotonic() - began)
    print(table)
    if chosen.save:
        RESULTS.write_text(table + "\n", encoding="utf-8")
    return 1 if any(outcome.breaches for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
