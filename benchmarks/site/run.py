"""Measure the whole system beside a bare Playwright script: `python -m benchmarks.site.run [--quick] [--save]`.

Both fetch the same mixture of documents from one twin, one side after the other, in rounds that begin with the one and the
other in turn. Exit 1 when one of our targets is missed, 0 in `--quick` all the same.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.queue.measures import Patience
from benchmarks.site import recovery
from benchmarks.site.mixture import Mixture
from benchmarks.site.recovery import Kill
from benchmarks.site.report import render
from benchmarks.site.sides import SIDES, Stage, Work, stage
from benchmarks.site.tree import Used

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Size:
    """How much of everything; `documents` for each number of sessions, and milliseconds a page."""

    rounds: int
    documents: dict[int, dict[int, int]]
    kills: int
    kill_latency_ms: int
    patience: float


FULL = Size(3, {1: {0: 10, 300: 5}, 5: {0: 20, 300: 15}, 10: {0: 20, 300: 20}, 20: {0: 40, 300: 40}}, 2, 300, 40.0)
QUICK = Size(1, {1: {0: 5, 300: 5}, 20: {0: 40, 300: 40}}, 1, 300, 3.0)

Case = tuple[str, int]
"""Side and number of sessions."""


@dataclass
class Results:
    """Everything that was measured; lists have one value a round."""

    size: Size
    work: dict[tuple[str, int, int], list[Work]] = field(default_factory=lambda: defaultdict(list))
    """By side, sessions and milliseconds a page."""
    idle: dict[Case, list[Used]] = field(default_factory=lambda: defaultdict(list))
    """Megabytes of all sessions together: signed in, nothing done yet."""
    after: dict[Case, list[Used]] = field(default_factory=lambda: defaultdict(list))
    """The same when all the work of the round is done."""
    kills: list[Kill] = field(default_factory=list)
    patience: Patience = field(default_factory=lambda: Patience(0))
    chromium: str = ""
    seconds: float = 0.0


def say(text: str) -> None:
    sys.stderr.write(f"bench: {text}\n")


def measure(stage: Stage, size: Size, results: Results) -> None:
    mixture = Mixture()
    for number in range(size.rounds):
        say(f"round {number + 1} of {size.rounds}")
        for sessions, documents in size.documents.items():
            for name in sorted(SIDES, reverse=number % 2 == 0):
                one_side(stage, name, sessions, documents, mixture, results)
    results.kills = recovery.measure(stage, mixture, size.kills, size.kill_latency_ms)


def one_side(
    stage: Stage, name: str, sessions: int, documents: dict[int, int], mixture: Mixture, results: Results
) -> None:
    stage.twin.wait_before_each_page(0)
    with SIDES[name](stage, sessions) as side:
        results.idle[name, sessions].append(side.tree.megabytes())
        side.work(mixture.draw(sessions))  # the first pages compile what the later ones only run
        for latency, number in documents.items():
            stage.twin.wait_before_each_page(latency)
            done = results.patience.calmly(lambda number=number: side.work(mixture.draw(number)))  # type: ignore[misc]
            results.work[name, sessions, latency].append(done)
            say(
                f"{name}, {sessions} sessions, {latency} ms a page: {done.a_minute:.0f} documents a minute, "
                f"{1000 * done.processor.over(done.documents).all:.0f} ms of processor each"
            )
        results.after[name, sessions].append(side.tree.megabytes())


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.site.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small round, in about two minutes")
    parser.add_argument("--save", action="store_true", help="write the table to RESULTS.md too")
    chosen = parser.parse_args(arguments)
    size = QUICK if chosen.quick else FULL
    results = Results(size, patience=Patience(size.patience))
    # not below a folder that only root may enter: the server then runs as another user
    home = Path(tempfile.mkdtemp(prefix="registre-bench-"))
    began = time.monotonic()
    try:
        with stage(home) as ready:
            results.chromium = ready.version
            measure(ready, size, results)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    results.seconds = time.monotonic() - began
    table, missed = render(results)
    print(table)
    if chosen.save:
        (HERE / "RESULTS.md").write_text(table + "\n", encoding="utf-8")
    for each in missed:
        say(f"missed: {each}")
    return 1 if missed and not chosen.quick else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
