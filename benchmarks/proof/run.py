"""The whole product under fire: `python -m benchmarks.proof.run [--orders N] [--seed S] [--save]`.

Exit 1 when any law was broken; the home then stays.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.proof.proof import Proof
from benchmarks.proof.report import chart_of, render
from benchmarks.queue.systems import machine

RESULTS = Path(__file__).with_name("RESULTS.md")
CHART = RESULTS.with_name("progress.svg")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.proof.run", description=__doc__)
    parser.add_argument("--orders", type=int, default=700)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", action="store_true", help="write the report to RESULTS.md, and its chart beside it")
    chosen = parser.parse_args(arguments)

    def say(line: str) -> None:
        terminal = sys.stderr.isatty()
        sys.stderr.write(f"\r\033[K{line}" if terminal else f"{line}\n")
        sys.stderr.flush()

    outcome = Proof(chosen.seed, chosen.orders, say).perform()
    circumstances = f"{machine()} · registre {version('registre')}, playwright {version('playwright')}"
    report = render(outcome, circumstances, CHART.name if chosen.save else None)
    print(f"\n{report}")
    if outcome.kept:
        print(f"\nkept: {outcome.kept}")
    if chosen.save:
        RESULTS.write_text(report + "\n", encoding="utf-8")
        CHART.write_text(chart_of(outcome), encoding="utf-8")
    return 1 if outcome.breaches else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("stopped; every program of it is ended and its folder removed")
