"""What failed, by its cause: the most frequent first, each with the newest sentence.

Invariant: a cause leads to the orders that ended so, and what is done to all of them is counted first.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from registre.access import Role
from tui import choice, looks, wire
from tui.bulk import ask_bulk
from tui.deeds import Chosen
from tui.screens.view import View
from tui.tongue import N_
from tui.widgets.bars import Key
from tui.widgets.listing import Listing
from tui.widgets.sheet import Column, Line

WHO_ACTS = {
    "not_found": N_("requester"),
    "ambiguous_option": N_("requester"),
    "ambiguous_plan": N_("requester"),
    "only_similar": N_("requester"),
    "paper_only": N_("requester"),
    "lot_inactive": N_("requester"),
    "unknown_sentence": N_("operator"),
    "invalid_order": N_("requester"),
    "ambiguous_purchase": N_("operator: settle"),
    "secured_elsewhere": N_("operator: settle"),
    "attempts_exhausted": N_("operator: retry"),
    "overdue": N_("operator: retry"),
}


class FailuresView(View):
    NAME = N_("Failures")
    FOLLOWS = True
    KEYS = (Key("enter", "enter", N_("its orders")), Key("R", "R", N_("retry all of them"), Role.OPERATOR))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("R", "retry", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._causes: tuple[wire.Cause, ...] | None = None

    def body(self) -> ComposeResult:
        yield Listing()

    def head(self) -> None:
        say = self.tongue.say
        self.listing().head(
            [
                Column("kind", say("cause"), 28),
                Column("code", say("its code"), 18, 140),
                Column("jobs", say("orders"), 9),
                Column("who", say("who acts"), 20, 100),
                Column("source", say("source"), 16, 120),
                Column("at", say("newest"), 16),
                Column("message", say("its sentence"), 0),
            ]
        )

    async def load(self) -> None:
        self._causes = (await self.client.get("/api/failures", wire.Causes)).causes

    def paint(self) -> None:
        if self._causes is None:
            return
        pen, tongue, now = self.pen, self.tongue, self.dashboard.now()
        self.listing().show(
            [
                Line(
                    cause.error_kind,
                    {
                        "kind": pen.text(
                            tongue.say(looks.KINDS.get(cause.error_kind, cause.error_kind)), "error", bold=True
                        ),
                        "code": pen.text(cause.error_kind, "text-muted"),
                        "jobs": pen.text(tongue.number(cause.jobs) + ("" if cause.is_exact else "+")),
                        "who": pen.text(tongue.say(WHO_ACTS.get(cause.error_kind, ""))),
                        "source": pen.text(cause.source),
                        "at": pen.text(tongue.moment(cause.at, now)),
                        "message": pen.text(tongue.reason(cause.message)),
                    },
                )
                for cause in self._causes
            ],
            empty=tongue.say("Nothing failed."),
        )

    def on_sheet_selected(self) -> None:
        kind = self.listing().sheet.current
        if kind:
            self.dashboard.show_queue(choice.written(status="failed", error_kind=kind))

    def action_retry(self) -> None:
        kind = self.listing().sheet.current
        if kind and self.permits(Role.OPERATOR):
            ask_bulk(self, "retry", Chosen(listed={"status": "failed", "error_kind": kind}), [], lambda: None)
