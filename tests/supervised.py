"""A host's programs under a real supervisord, by the configuration that `registre supervisord` prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from tests.processes import environment
from tests.waiting import until

PATIENCE = 90.0
PROGRAMS = ("worker", "api")
WITH_BROKER = ("redis", "tasks", "worker", "api")


class Host:
    """One host's programs under supervisord, with their own home."""

    def __init__(
        self,
        home: Path,
        *arguments: str,
        programs: Collection[str] = PROGRAMS,
        edit: Callable[[str], str] = lambda printed: printed,
        **settings: str,
    ) -> None:
        """`arguments` are those of `registre supervisord`, `programs` what it is to keep up; `edit` changes what it printed."""
        self.home = home
        self.programs = programs
        self.environment = environment(home, **settings)
        printed = subprocess.run(
            [sys.executable, "-m", "registre.cli", "supervisord", *arguments],
            env=self.environment,
            cwd=home,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.conf = home / "supervisord.conf"
        self.conf.write_text(edit(printed))
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-n", "-c", str(self.conf)],
            env=self.environment,
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

        until(self._answers, "supervisord does not answer", PATIENCE)

    def ask(self, method: str, *arguments: object) -> Any:
        """A line of its own for each question: one that failed once answers nothing more."""
        line = SupervisorTransport(None, None, f"unix://{self.home}/supervisord.sock")
        with ServerProxy("http://127.0.0.1", transport=line) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("getState")["statename"] == "RUNNING")
        except OSError:
            return False

    def state(self, program: str) -> str:
        return str(self.ask("getProcessInfo", program)["statename"])

    def pid(self, program: str) -> int:
        return int(self.ask("getProcessInfo", program)["pid"])

    def are_up_since(self, killed: Mapping[str, int]) -> bool:
        """All run, in other processes than those."""
        return all(self.state(name) == "RUNNING" and self.pid(name) != killed.get(name) for name in self.programs)

    def kill(self, program: str) -> int:
        """kill -9; the process it was."""
        pid = self.pid(program)
        os.kill(pid, signal.SIGKILL)
        return pid

    def restart(self, *programs: str) -> None:
        """Have them stopped as an operator does, and started again; this waits for the first half of it."""
        for program in programs:
            with suppress(Fault):  # it is not up just now
                self.ask("stopProcess", program)
            with suppress(Fault):
                self.ask("startProcess", program, False)

    def log(self, program: str) -> str:
        file = self.home / "log" / f"{program}.log"
        return file.read_text() if file.exists() else ""

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
