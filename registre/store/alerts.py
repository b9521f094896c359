"""The alerts over the gateway (sql/17_alerts.sql)."""

from __future__ import annotations

from registre.alerts import AlertView
from registre.database.gateway import Gateway


class Alarms:
    """Implements `registre.ports.Alerts`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def judge(self) -> int:
        return int(self._gateway.call("judge_alerts")[0]["judge_alerts"])

    def all(self, *, open_only: bool = True, limit: int = 100) -> list[AlertView]:
        return [
            AlertView(row["id"], row["kind"], row["subject"], row["data"], row["opened_at"], row["closed_at"])
            for row in self._gateway.call("list_alerts", open_only=open_only, limit=limit)
        ]
