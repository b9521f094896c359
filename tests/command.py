"""The command `registre` as a person runs it: a process of its own, in an environment of its own; or, faster, in the test's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from registre.cli import app
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


Run = Callable[..., Result]
"""`run(*arguments)` of `registre`, in the test's own process."""


def in_this_process(monkeypatch: pytest.MonkeyPatch, dsn: str, home: Path, **settings: str) -> Run:
    """The command on the test's database, away from any `.env`; its errors are its result's exception."""
    ours = {"DATABASE_URL": dsn, "REGISTRE_HOME": str(home), "REGISTRE_BUCKETS": str(home / "buckets"), **settings}
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(home)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def said(result: Result, code: int = 0) -> str:
    """What it wrote on stdout, having ended with this exit code."""
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout.strip()
