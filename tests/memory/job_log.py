"""The port `LogBook` in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from registre.job import JobId, LogLine
from tests.memory.state import State

LINES, CHARACTERS, DAYS = 200, 500, 30


class MemoryJobLog:
    """Implements `registre.ports.LogBook`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def keep(self, lines: Sequence[LogLine]) -> None:
        log = self._state.log
        with self._state.transaction() as now:
            log += [replace(line, text=line.text[:CHARACTERS]) for line in lines if line.job_id in self._state.jobs]
            for job_id in {line.job_id for line in lines}:
                for line in [line for line in log if line.job_id == job_id][:-LINES]:
                    log.remove(line)
            for line in [line for line in log if line.at < now - timedelta(days=DAYS)]:
                log.remove(line)

    def of(self, job_id: JobId) -> list[LogLine]:
        with self._state.transaction():
            return [line for line in self._state.log if line.job_id == job_id]
