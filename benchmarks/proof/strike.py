"""How each blow is dealt and lifted."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import psutil

from benchmarks.proof.blows import LASTS_SECONDS, Blow
from benchmarks.proof.bucket import Mood
from benchmarks.proof.ground import Ground
from benchmarks.proof.line import Line
from registre.site.processes import is_driver

JUMP_SECONDS = 7200.0
_BALLAST = "ballast"


class Striker:
    """Strikes the host on `ground`. One thread."""

    def __init__(self, ground: Ground) -> None:
        self._on = ground
        host = ground.host
        self._strikes: dict[Blow, Callable[[], None]] = {
            Blow.WORKER: lambda: self._kill("worker"),
            Blow.TASKS: lambda: self._kill("tasks"),
            Blow.API: lambda: self._kill("api"),
            Blow.CHROMIUM: lambda: self._kill_below("worker", _is_chromium),
            Blow.DRIVER: lambda: self._kill_below("worker", is_driver),
            Blow.POSTGRES: lambda: os.kill(ground.postgres_pid(), signal.SIGKILL),
            Blow.BROKER: ground.kill_broker,
            Blow.FORGETFUL_BROKER: ground.empty_broker,
            Blow.LINE_CUT: lambda: ground.relay.become(Line.CUT),
            Blow.LINE_SILENT: lambda: ground.relay.become(Line.SILENT),
            Blow.LINE_SLOW: lambda: ground.relay.become(Line.SLOW),
            Blow.BUCKET_FAILING: lambda: self._mood(Mood.FAILING),
            Blow.BUCKET_SLOW: lambda: self._mood(Mood.SLOW),
            Blow.DISK_FULL: self._fill_disk,
            Blow.CLOCK_FORWARD: lambda: self._clock(JUMP_SECONDS),
            Blow.CLOCK_BACK: lambda: self._clock(-JUMP_SECONDS),
            Blow.DRAIN: lambda: host.restart("worker"),
            Blow.RESTART: lambda: host.restart(*host.programs),
        }
        self._lifts: dict[Blow, Callable[[], None]] = {
            Blow.BROKER: ground.start_broker,
            **dict.fromkeys((Blow.LINE_CUT, Blow.LINE_SILENT, Blow.LINE_SLOW), lambda: ground.relay.become(Line.WHOLE)),
            **dict.fromkeys((Blow.BUCKET_FAILING, Blow.BUCKET_SLOW), lambda: self._mood(Mood.FINE)),
            **dict.fromkeys((Blow.CLOCK_FORWARD, Blow.CLOCK_BACK), lambda: self._clock(0.0)),
            Blow.DISK_FULL: self._empty_disk,
        }
        assert self._strikes.keys() == set(Blow)
        assert self._lifts.keys() <= LASTS_SECONDS.keys()
        self.impossible = frozenset() if ground.spool_has_disk else frozenset({Blow.DISK_FULL})
        """What cannot be dealt on this machine: a disk of the spool's own takes root."""

    def strike(self, blow: Blow) -> None:
        self._strikes[blow]()

    def lift(self, blow: Blow) -> None:
        """Make it pass, if it lasts."""
        if lift := self._lifts.get(blow):
            lift()

    def lift_all(self) -> None:
        for lift in self._lifts.values():
            lift()

    def _kill(self, program: str) -> None:
        """Whatever it is doing; not while supervisord starts it."""
        if pid := self._on.host.pid(program):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _kill_below(self, program: str, is_one: Callable[[psutil.Process], bool]) -> None:
        if not (pid := self._on.host.pid(program)):
            return
        with suppress(psutil.Error):
            for process in psutil.Process(pid).children(recursive=True):
                with suppress(psutil.Error):
                    if is_one(process):
                        process.kill()

    def _mood(self, mood: Mood) -> None:
        self._on.bucket.mood = mood

    def _fill_disk(self) -> None:
        with suppress(OSError), (self._on.spool / _BALLAST).open("wb") as ballast:
            while True:
                ballast.write(bytes(1_000_000))

    def _empty_disk(self) -> None:
        (self._on.spool / _BALLAST).unlink(missing_ok=True)

    def _clock(self, wrong_by_seconds: float) -> None:
        self._on.clock.write_text(str(wrong_by_seconds), "utf-8")


def _is_chromium(process: psutil.Process) -> bool:
    command = " ".join(process.cmdline())
    return "--headless" in command and "--type=" not in command
