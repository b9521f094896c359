"""What workers logged about orders, over the gateway (sql/16_job_log)."""

from __future__ import annotations

from collections.abc import Sequence

from registre.database.gateway import Gateway, Json
from registre.job import JobId, LogLine


class JobLog:
    """Implements `registre.ports.LogBook`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def keep(self, lines: Sequence[LogLine]) -> None:
        rows = [
            {"job": line.job_id, "at": line.at.isoformat(), "host": line.host, "level": line.level, "line": line.text}
            for line in lines
        ]
        if rows:
            self._gateway.call("keep_log", lines=Json(rows))

    def of(self, job_id: JobId) -> list[LogLine]:
        return [
            LogLine(JobId(str(row["job_id"])), row["at"], row["host"], row["level"], row["line"])
            for row in self._gateway.call("log_of", job=job_id)
        ]
