"""The line at the bottom in which a filter or a command is typed.

Invariant: it is over the view and not in it; escape leaves everything as it was before it was opened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label

SETTLE_SECONDS = 0.15
"""A filter is asked for when nobody has typed for so long."""


class Prompt(ModalScreen[str | None]):
    """Gives the text when entered, None when left. `live` is told the text while it is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(
        self,
        sign: str,
        text: str = "",
        *,
        live: Callable[[str], None] | None = None,
        words: Sequence[str] = (),
        hint: str = "",
    ) -> None:
        super().__init__()
        self._sign = sign
        self._before = text
        self._live = live
        self._words = words
        self._hint = hint
        self._told = text

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Label(self._sign, markup=False)
            yield Input(
                self._before,
                placeholder=self._hint,
                select_on_focus=False,
                suggester=SuggestFromList(self._words, case_sensitive=False) if self._words else None,
            )

    def on_input_changed(self, event: Input.Changed) -> None:
        if self._live is not None and event.value != self._told:
            self.set_timer(SETTLE_SECONDS, self._settled)

    def _settled(self) -> None:
        text = self.query_one(Input).value
        if self._live is not None and text != self._told:
            self._told = text
            self._live(text)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self._settled()
        self.dismiss(event.value)

    def action_leave(self) -> None:
        if self._live is not None and self._told != self._before:
            self._live(self._before)
        self.dismiss(None)
