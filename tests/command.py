"""The command `registre` as a person runs it: a process of its own, in an environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import environment

ENTRY = (sys.executable, "-m", "registre.cli")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left: its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def sentence(self) -> str:
        """The only thing it said, on stderr; AssertionError when there is more than one line, or anything on stdout."""
        assert self.out == ""
        assert "Traceback" not in self.err
        assert self.err.endswith(".\n"), self.err
        assert self.err.count("\n") == 1, self.err
        return self.err.strip()


def registre(home: Path, *arguments: str | bytes, stdin: bytes = b"", **settings: str) -> Said:
    """Run `registre ARGUMENTS` to its end, away from any `.env`."""
    done = subprocess.run(
        [*ENTRY, *arguments],
        input=stdin,
        capture_output=True,
        env=environment(home, **settings),
        cwd="/",
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())
