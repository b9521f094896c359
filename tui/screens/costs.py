"""What was spent, and what may be: this month's costs by day, account, client, source or batch, and every budget.

Invariant: what may or may not be billed has a column of its own, and is in no sum with what was.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from registre.budget import CostBy
from tui import wire_costs
from tui.screens.view import View
from tui.tongue import N_
from tui.widgets.bars import Key
from tui.widgets.listing import Listing
from tui.widgets.sheet import Column, Line

BY = {
    CostBy.DAY: N_("day"),
    CostBy.ACCOUNT: N_("account"),
    CostBy.CLIENT: N_("client"),
    CostBy.SOURCE: N_("source"),
    CostBy.BATCH: N_("batch"),
}
SCOPES = {
    "site": N_("everything"),
    "account": N_("account"),
    "client": N_("client"),
    "batch": N_("batch"),
}
PERIODS = {"day": N_("day"), "month": N_("month"), "total": N_("the whole")}


class CostsView(View):
    NAME = N_("Costs")
    FOLLOWS = True
    KEYS = (Key("b", "b", N_("by day, account, client, source, batch")), Key("y", "y", N_("copy the command")))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("b", "by", show=False), Binding("y", "copy", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._by = CostBy.DAY
        self._costs: wire_costs.Costs | None = None
        self._budgets: tuple[wire_costs.Budget, ...] = ()

    def body(self) -> ComposeResult:
        yield Listing(id="costs")
        yield Listing(id="budgets")

    def head(self) -> None:
        say = self.tongue.say
        self.listing("#costs").head(
            [
                Column("key", say(BY[self._by]), 0),
                Column("documents", say("documents"), 10),
                Column("spent", say("spent"), 12),
                Column("ambiguous", say("ambiguous"), 18, 70),
                Column("reserved", say("under way"), 12, 90),
                Column("reused", say("for nothing"), 12, 100),
            ]
        )
        self.listing("#budgets").head(
            [
                Column("scope", say("budget of"), 12),
                Column("name", say("name"), 0),
                Column("period", say("for"), 10),
                Column("used", say("used"), 30),
                Column("left", say("left"), 12),
            ]
        )

    async def load(self) -> None:
        self._costs = await self.client.get("/api/costs", wire_costs.Costs, by=self._by)
        self._budgets = (await self.client.get("/api/budgets", wire_costs.Budgets)).budgets

    def paint(self) -> None:
        if self._costs is None:
            return
        pen, tongue = self.pen, self.tongue
        spent = sum(line.documents_cents for line in self._costs.lines)
        self.listing("#costs").show(
            [self._line(line) for line in self._costs.lines],
            empty=tongue.say("Nothing was spent this month."),
            foot=tongue.say(
                "%(first)s to %(last)s: %(spent)s",
                first=self._costs.first,
                last=self._costs.last,
                spent=tongue.money(spent),
            ),
        )
        self.listing("#budgets").show(
            [self._budget(budget) for budget in self._budgets],
            empty=tongue.say("No budget: `registre budgets set site --cap 300` sets one."),
            foot=pen.text(""),
        )

    def _line(self, line: wire_costs.Cost) -> Line:
        pen, tongue = self.pen, self.tongue
        unsure = f"{line.ambiguous} ({tongue.money(line.ambiguous_cents)})" if line.ambiguous else ""
        return Line(
            line.key,
            {
                "key": pen.text(line.key or tongue.say("(nobody)"), bold=True),
                "documents": pen.text(tongue.number(line.documents)),
                "spent": pen.text(tongue.money(line.documents_cents)),
                "ambiguous": pen.text(unsure, "error"),
                "reserved": pen.text(tongue.money(line.reserved_cents) if line.reserved_cents else ""),
                "reused": pen.text(line.reused or ""),
            },
        )

    def _budget(self, budget: wire_costs.Budget) -> Line:
        pen, tongue = self.pen, self.tongue
        part = budget.used_cents / budget.cap_cents if budget.cap_cents else 1.0
        colour = "error" if part >= 1 else "warning" if part >= 0.8 else "success"
        return Line(
            f"{budget.scope} {budget.name} {budget.period}",
            {
                "scope": pen.text(tongue.say(SCOPES.get(budget.scope, budget.scope))),
                "name": pen.text(budget.name or "", bold=True),
                "period": pen.text(tongue.say(PERIODS.get(budget.period, budget.period))),
                "used": pen.joined(
                    pen.bar(part, 10, colour), f"{tongue.money(budget.used_cents)} / {tongue.money(budget.cap_cents)}"
                ),
                "left": pen.text(tongue.money(max(0, budget.cap_cents - budget.used_cents))),
            },
        )

    def action_by(self) -> None:
        kinds = list(BY)
        self._by = kinds[(kinds.index(self._by) + 1) % len(kinds)]
        self._costs = None
        self.head()
        self.reload()

    def action_copy(self) -> None:
        self.copied(f"registre costs report --by {self._by}")
