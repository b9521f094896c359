"""Talk with child processes: one JSON object a line, commands in, answers out. Standard library only, for every environment.

Invariant: a child ends when its input does, so it outlives neither the run nor a run that was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "REGISTRE_BENCH_DATABASE"

_saying = Lock()


def say(**facts: Any) -> None:
    """Child: one answer."""
    with _saying:
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()


def commands() -> Iterator[dict[str, Any]]:
    """Child: the commands, until the run has no more."""
    for line in sys.stdin:
        yield json.loads(line)


def database() -> str:
    """Child: the address of its database; from the environment, since it holds a password."""
    return os.environ[ADDRESS]


def commands_into(queue: asyncio.Queue[dict[str, Any] | None]) -> None:
    """Child with an event loop: the same commands into its queue, and None at their end."""
    loop = asyncio.get_running_loop()

    def put(command: dict[str, Any] | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended first
            loop.call_soon_threadsafe(queue.put_nowait, command)

    def read() -> None:
        for command in commands():
            put(command)
        put(None)

    Thread(target=read, daemon=True).start()


class Tally:
    """Child: counts what it finished, and when the first and the last were."""

    def __init__(self) -> None:
        self.count = 0
        self.first = self.last = 0.0

    def add(self) -> None:
        self.last = time.time()
        self.first = self.first or self.last
        self.count += 1

    def say(self) -> None:
        say(count=self.count, first=self.first, last=self.last)


class ChildFailed(Exception):
    """A child ended or did not answer; its own words are on stderr."""


class Child:
    """Run: one child process. `ask` and `hear` raise ChildFailed."""

    def __init__(self, python: Path, module: str, role: str, dsn: str) -> None:
        self.name = f"{module} {role}"
        environment = {**os.environ, ADDRESS: dsn, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [str(python), "-m", module, role],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment,
            text=True,
            bufsize=1,
            process_group=0,  # Ctrl-C is for who started it, and closes it in order
        )
        self._answers: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(json.loads(line))
        self._answers.put(None)

    def tell(self, do: str, **arguments: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            raise ChildFailed(f"{self.name} has ended") from error

    def hear(self, seconds: float = 60) -> dict[str, Any]:
        try:
            answer = self._answers.get(timeout=seconds)
        except Empty:
            raise ChildFailed(f"{self.name} did not answer within {seconds:.0f} s") from None
        if answer is None:
            raise ChildFailed(f"{self.name} has ended")
        return answer

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        self.tell(do, **arguments)
        return self.hear()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=5)
        self._process.stdout.close()


@contextlib.contextmanager
def children(*made: Callable[[], Child]) -> Iterator[list[Child]]:
    """Start them together, wait until each is ready, and end them all."""
    started: list[Child] = []
    try:
        for make in made:
            started.append(make())
        for child in started:
            child.hear()
        yield started
    finally:
        closing = [Thread(target=child.close) for child in started]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join()
