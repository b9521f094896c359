"""Gates and rules over the gateway (sql/03, 04 and why of sql/13)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from registre.database.gateway import Gateway, Json
from registre.gates import Closure, Gate, Holiday, Pause, Rules, Scope, ServiceHours
from registre.job import JobId


class GateKeeping:
    """Implements `registre.ports.Gates`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def closures(self) -> list[Closure]:
        return [
            Closure(Gate(row["gate"]), Scope(row["scope"]), row["name"], row["reason"], row["until"])
            for row in self._gateway.call("closures")
        ]

    def why(self, job_id: JobId | None = None) -> str:
        return str(self._gateway.call("why", job=job_id)[0]["why"])

    def pause(self, scope: Scope, name: str, author: str, reason: str) -> None:
        self._gateway.call("pause", scope=str(scope), name=name, author=author, reason=reason)

    def resume(self, scope: Scope, name: str, author: str) -> bool:
        return bool(self._gateway.call("resume", scope=str(scope), name=name, author=author)[0]["resume"])

    def pauses(self) -> list[Pause]:
        return [
            Pause(Scope(row["scope"]), row["name"], row["author"], row["reason"], row["at"])
            for row in self._gateway.call("list_pauses")
        ]

    def site_away(self, reason: str) -> None:
        self._gateway.call("site_away", reason=reason)

    def site_answered(self) -> None:
        self._gateway.call("site_answered")

    def rules(self) -> Rules:
        row = self._gateway.call("list_rules")[0]
        return Rules(**{name: value for name, value in row.items() if name != "one"})

    def set_rule(self, name: str, value: float | None, author: str) -> None:
        self._gateway.call("set_rule", name=name, value=value, author=author)

    def hours(self) -> list[ServiceHours]:
        return [ServiceHours(**row) for row in self._gateway.call("list_hours")]

    def set_hours(self, hours: Sequence[ServiceHours], author: str) -> None:
        rows = [{"weekday": h.weekday, "opens": h.opens.isoformat(), "closes": h.closes.isoformat()} for h in hours]
        self._gateway.call("set_hours", hours=Json(rows), author=author)

    def holidays(self) -> list[Holiday]:
        return [Holiday(**row) for row in self._gateway.call("list_holidays")]

    def set_holiday(self, day: date, name: str | None, author: str) -> None:
        self._gateway.call("set_holiday", day=day, name=name, author=author)
