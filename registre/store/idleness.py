"""The idle limit and the work that is due, over the gateway (sql/06_sessions)."""

from __future__ import annotations

from datetime import timedelta

from registre.database.gateway import Gateway
from registre.idleness import IdleEnd, LearntLimit


class IdleLimits:
    """Implements `registre.ports.Idleness`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def limit(self, assumed: timedelta) -> timedelta:
        row = self._gateway.call("current_idle_limit", assumed_seconds=assumed.total_seconds())[0]
        return timedelta(seconds=row["current_idle_limit"])

    def note(self, end: IdleEnd, assumed: timedelta) -> timedelta:
        row = self._gateway.call(
            "note_idle", seconds=end.seconds, survived=end.survived, assumed_seconds=assumed.total_seconds()
        )[0]
        return timedelta(seconds=row["note_idle"])

    def learnt(self) -> LearntLimit:
        rows = self._gateway.call("learnt_idle_limit")
        if not rows:
            return LearntLimit(None, None, timedelta(0))
        row = rows[0]
        limit = None if row["seconds"] is None else timedelta(seconds=row["seconds"])
        return LearntLimit(limit, row["learnt_at"], timedelta(seconds=row["survived_seconds"]))

    def work_due(self, username: str, within: timedelta) -> bool:
        rows = self._gateway.call("work_due", username=username, within_seconds=within.total_seconds())
        return bool(rows[0]["work_due"])
