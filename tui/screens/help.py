"""What the keys do: those of the view it was opened over, and those of every view.

Invariant: it lists what the views themselves declare, so that it cannot tell otherwise than they do.
"""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Label, Static

from tui.screens.view import View
from tui.tongue import N_
from tui.words import VERBS

EVERYWHERE = (
    ("1 … 7", N_("the views")),
    ("j k ↑ ↓", N_("down, up")),
    ("g G", N_("first, last")),
    ("enter esc", N_("into, back")),
    ("/", N_("filter")),
    (":", N_("command")),
    ("ctrl+p", N_("palette of all commands")),
    ("ctrl+t", N_("next theme")),
    ("F5", N_("look again now")),
    ("q", N_("leave; the fleet goes on")),
)


class Help(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", show=False),
        Binding("j", "scroll('down')", show=False),
        Binding("k", "scroll('up')", show=False),
    ]

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view

    def compose(self) -> ComposeResult:
        view, say = self._view, self._view.tongue.say
        with VerticalScroll(classes="box help"):
            yield Label(say("Keys of this view: %(name)s", name=say(view.NAME)), classes="title", markup=False)
            for key in view.KEYS:
                role = "" if view.allowed(key.needs) else f" ({say('not with your key')})"
                yield Static(self._line(key.shown, say(key.does) + role))
            yield Label(say("Everywhere"), classes="title", markup=False)
            for shown, does in EVERYWHERE:
                yield Static(self._line(shown if not view.dashboard.ascii_only else _ascii(shown), say(does)))
            yield Label(say("Commands after :"), classes="title", markup=False)
            for verb in VERBS:
                yield Static(self._line(verb.usage, say(verb.does)))

    def action_scroll(self, way: str) -> None:
        box = self.query_one(VerticalScroll)
        if way == "down":
            box.scroll_down(animate=False)
        else:
            box.scroll_up(animate=False)

    def _line(self, shown: str, does: str) -> Text:
        pen = self._view.pen
        return pen.text(shown.ljust(28), "accent", bold=True) + pen.text(does)


def _ascii(text: str) -> str:
    return text.replace("…", "-").replace("↑ ↓", "up down")
