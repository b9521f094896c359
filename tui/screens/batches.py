"""The batches: how far each is, what it cost, and which ones wait for a person.

Invariant: a batch is cancelled only while as many of its orders are open as the box said.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from registre.access import Role
from tui import choice, wire
from tui.lines import batch_line
from tui.looks import CLOSED, PAUSED, STATUSES
from tui.screens.boxes import Confirm, Told
from tui.screens.view import View
from tui.tongue import N_
from tui.widgets.bars import Key
from tui.widgets.listing import Listing
from tui.widgets.sheet import Column, Line


class BatchesView(View):
    NAME = N_("Batches")
    FOLLOWS = True
    KEYS = (
        Key("enter", "enter", N_("its orders")),
        Key("A", "A", N_("approve"), Role.OPERATOR),
        Key("C", "C", N_("cancel"), Role.OPERATOR),
        Key("y", "y", N_("copy id")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("A", "approve", show=False),
        Binding("C", "cancel", show=False),
        Binding("y", "copy", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._batches: tuple[wire.Batch, ...] | None = None

    def body(self) -> ComposeResult:
        yield Listing()

    def head(self) -> None:
        say = self.tongue.say
        self.listing().head(
            [
                Column("state", say("state"), 18),
                Column("name", say("batch"), 0),
                Column("client", say("client"), 18, 110),
                Column("author", say("author"), 12, 140),
                Column("progress", say("done"), 24),
                Column("failed", say("failed"), 8, 90),
                Column("spent", say("spent"), 10, 90),
                Column("price", say("price"), 10, 70),
                Column("end", say("done about"), 16, 100),
            ]
        )

    async def load(self) -> None:
        self._batches = (await self.client.get("/api/batches", wire.Batches, limit=100)).batches

    def paint(self) -> None:
        if self._batches is not None:
            self.listing().show(
                [self._line(batch) for batch in self._batches],
                empty=self.tongue.say("No batch yet: `registre import FILE` orders one."),
            )

    def _line(self, batch: wire.Batch) -> Line:
        pen, tongue, now = self.pen, self.tongue, self.dashboard.now()
        ended = batch.completed + batch.failed
        if batch.waits_for_approval:
            state = pen.badge(PAUSED, tongue.say("to be approved"))
        elif batch.waiting + batch.active:
            state = pen.badge(STATUSES["En traitement"])
        elif batch.failed:
            state = pen.badge(CLOSED, tongue.say("ended, not whole"))
        else:
            state = pen.badge(STATUSES["Complété"])
        return Line(
            batch.batch_id,
            {
                "state": state,
                "name": pen.text(batch.name, bold=True),
                "client": pen.text(batch.client),
                "author": pen.text(batch.author),
                "progress": pen.joined(
                    pen.bar(ended / batch.total if batch.total else 1, 10, "success"), f"{ended} / {batch.total}"
                ),
                "failed": pen.text(batch.failed or "", "error"),
                "spent": pen.text(tongue.money(batch.spent_cents)),
                "price": pen.text(tongue.money(batch.price_cents)),
                "end": pen.text(tongue.moment(batch.expected_end, now)),
            },
        )

    def _current(self) -> wire.Batch | None:
        key = self.listing().sheet.current
        return next((batch for batch in self._batches or () if batch.batch_id == key), None)

    def on_sheet_selected(self) -> None:
        batch = self._current()
        if batch:
            self.dashboard.show_queue(choice.written(batch=batch.batch_id))

    def action_copy(self) -> None:
        batch = self._current()
        if batch:
            self.copied(batch.batch_id)

    def action_approve(self) -> None:
        batch, say = self._current(), self.tongue.say
        if batch is None or not self.permits(Role.OPERATOR):
            return
        if not batch.waits_for_approval:
            self.dashboard.complain(say("This batch waits for nobody's approval."))
            return
        told = Told(
            say("Approve %(name)s", name=batch.name),
            [
                self.tongue.many("%(n)s order begins.", "%(n)s orders begin.", batch.total),
                say("It may cost %(cost)s at most.", cost=self.tongue.money(batch.price_cents)),
            ],
            batch_line("approve", batch.batch_id),
        )
        self.app.push_screen(
            Confirm(told, self.tongue),
            lambda is_sure: self.do(lambda: self.dashboard.deeds.approve(batch)) if is_sure else None,
        )

    def action_cancel(self) -> None:
        batch, say = self._current(), self.tongue.say
        if batch is None or not self.permits(Role.OPERATOR):
            return
        left = batch.waiting + batch.active
        told = Told(
            say("Cancel what is left of %(name)s", name=batch.name),
            [
                self.tongue.many("%(n)s order has not ended.", "%(n)s orders have not ended.", left),
                say(
                    "It has cost %(cost)s so far; what is being bought is finished.",
                    cost=self.tongue.money(batch.spent_cents),
                ),
            ],
            batch_line("cancel", batch.batch_id),
        )
        self.app.push_screen(
            Confirm(told, self.tongue),
            lambda is_sure: self.do(lambda: self.dashboard.deeds.cancel_batch(batch, left)) if is_sure else None,
        )
