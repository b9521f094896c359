"""Everything that happens, as it happens; searched by text.

Invariant: what is shown is the tail that the model keeps, so that a flood costs no more than a page.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui import looks
from tui.screens.view import View
from tui.tongue import N_
from tui.widgets.bars import Key
from tui.widgets.listing import Listing
from tui.widgets.sheet import Column, Line
from tui.wire import Fact, words_of

SHOWN = 200


class EventsView(View):
    NAME = N_("Events")
    KEYS = (
        Key("slash", "/", N_("filter")),
        Key("enter", "enter", N_("its order")),
        Key("f", "f", N_("follow or hold")),
        Key("y", "y", N_("copy")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", show=False),
        Binding("y", "copy", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._following = True
        self._shown: list[Fact] = []
        self._drawn: tuple[object, ...] = ()

    def body(self) -> ComposeResult:
        yield Listing()

    def head(self) -> None:
        say = self.tongue.say
        self._drawn = ()
        self.listing().head(
            [
                Column("at", say("at"), 8),
                Column("kind", say("event"), 22),
                Column("order", say("order"), 8),
                Column("words", say("what is known"), 0),
            ]
        )

    def paint(self) -> None:
        if self._following:
            now = (self.model.heard, self.model.cursor, self._text)
            if now != self._drawn:
                self._drawn = now
                self._shown = [fact for fact in self.model.events if self._matches(fact)][-SHOWN:]
        say = self.tongue.say
        held = "" if self._following else f" · {say('held: f follows again')}"
        searched = f" · / {self._text}" if self._text else ""
        sheet = self.listing().sheet
        before = sheet.count, sheet.current
        self.listing().show(
            [self._line(fact) for fact in self._shown],
            empty=say("No event has this text." if self._text else "Nothing has happened yet."),
            foot=self.tongue.many("%(n)s event", "%(n)s events", len(self._shown)) + searched + held,
        )
        if self._following and self._shown and before != (sheet.count, self._shown[-1].id):
            sheet.go(len(self._shown) - 1)

    def _matches(self, fact: Fact) -> bool:
        text = self._text.casefold()
        return not text or text in f"{fact.kind} {fact.extraction_id or ''} {words_of(fact)}".casefold()

    def _line(self, fact: Fact) -> Line:
        pen = self.pen
        return Line(
            fact.id,
            {
                "at": pen.text(self.tongue.clock(fact.at, seconds=True), "text-muted"),
                "kind": pen.text(fact.kind, looks.of_event(fact.kind)),
                "order": pen.text((fact.extraction_id or "")[:8], "text-muted"),
                "words": pen.text(words_of(fact)),
            },
        )

    def filter_text(self) -> str | None:
        return self._text

    def filtered(self, text: str) -> None:
        self._text = text.strip()
        self._following = True
        self.draw()

    def action_follow(self) -> None:
        self._following = not self._following
        self.draw()

    def _current(self) -> Fact | None:
        key = self.listing().sheet.current
        return next((fact for fact in self._shown if fact.id == key), None)

    def on_sheet_selected(self) -> None:
        fact = self._current()
        if fact and fact.extraction_id:
            self.dashboard.show_job(fact.extraction_id)

    def action_copy(self) -> None:
        fact = self._current()
        if fact:
            self.copied(fact.extraction_id or fact.id)
