"""The `registre` command on a host whose wall clock jumps: `python -m benchmarks.proof.clock up --no-api`.

The file that PROOF_CLOCK names holds by how many seconds the clock is wrong now; without it, or empty, the clock is right.
Clocks that only run (monotonic ones) do not jump, as in life. Only this process is meant: its browsers keep the machine's clock.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import time_machine

from registre.cli import main

FILE = "PROOF_CLOCK"
LOOK_EVERY_SECONDS = 0.3


def _follow(file: Path) -> None:
    wrong_by, jump = 0.0, None
    while True:
        time.sleep(LOOK_EVERY_SECONDS)
        try:
            told = float(file.read_text("utf-8") or 0)
        except (OSError, ValueError):
            told = 0.0
        if told == wrong_by:
            continue
        if jump is not None:
            jump.stop()
            jump = None
        wrong_by = told
        if wrong_by:
            jump = time_machine.travel(datetime.now(UTC) + timedelta(seconds=wrong_by), tick=True)
            jump.start()


if __name__ == "__main__":
    Thread(target=_follow, args=(Path(os.environ[FILE]),), name="clock", daemon=True).start()
    main()
