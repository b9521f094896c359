"""Fees, budgets and costs over the gateway (sql/03 and 09)."""

from __future__ import annotations

from datetime import date

from registre.budget import Budget, CostBy, CostLine, Fee, Period
from registre.database.gateway import Gateway
from registre.gates import Scope


class Accounting:
    """Implements `registre.ports.Treasury`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def fees(self) -> list[Fee]:
        return [Fee(**row) for row in self._gateway.call("list_fees")]

    def set_fee(self, source: str, valid_from: date, cents: int, author: str) -> None:
        self._gateway.call("set_fee", source=source, valid_from=valid_from, cents=cents, author=author)

    def budgets(self) -> list[Budget]:
        return [
            Budget(Scope(row["scope"]), row["name"], Period(row["period"]), row["cap_cents"], int(row["used_cents"]))
            for row in self._gateway.call("list_budgets")
        ]

    def set_budget(self, scope: Scope, name: str, period: Period, cap_cents: int | None, author: str) -> None:
        self._gateway.call(
            "set_budget", scope=str(scope), name=name, period=str(period), cap_cents=cap_cents, author=author
        )

    def costs(self, first: date, last: date, by: CostBy) -> list[CostLine]:
        rows = self._gateway.call("costs", first=first, last=last, by=str(by))
        return [CostLine(row["key"], *(int(row[name]) for name in row if name != "key")) for row in rows]
