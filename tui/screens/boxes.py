"""Boxes that open over a view: a decision, a reason, an account.

Invariant: a box that changes something says what, how many and what it may cost, and shows the command line that does the same;
escape changes nothing. A password is drawn as dots and kept by nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from tui.tongue import Tongue

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Told:
    """What a box says: its title, its sentences, and the command line that does the same."""

    title: str
    sentences: Sequence[str]
    command: str


class Box(ModalScreen[R | None], Generic[R]):
    """A box; None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def __init__(self, told: Told, tongue: Tongue) -> None:
        super().__init__()
        self.told = told
        self.tongue = tongue

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Label(self.told.title, classes="title", markup=False)
            for sentence in self.told.sentences:
                yield Static(Content(sentence))
            yield from self.fields()
            if self.told.command:
                yield Static(Content(f"$ {self.told.command}"), classes="command")
            with Horizontal(classes="buttons"):
                yield from self.buttons()

    def fields(self) -> ComposeResult:
        yield from ()

    def buttons(self) -> ComposeResult:
        yield Button(self.tongue.say("Do it"), id="do", variant="primary")
        yield Button(self.tongue.say("Leave it"), id="leave")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "leave":
            self.dismiss(None)
        else:
            self.decided(event.button.id or "")

    def decided(self, button: str) -> None:
        raise NotImplementedError

    def action_leave(self) -> None:
        self.dismiss(None)


class Confirm(Box[bool]):
    """True when it is to be done. `y` and `o` (oui) say so, `n` leaves it; enter presses the button that is marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", show=False),
        Binding("o", "yes", show=False),
        Binding("n", "leave", show=False),
    ]

    def on_mount(self) -> None:
        self.query_one("#leave").focus()

    def decided(self, button: str) -> None:
        self.dismiss(True)

    def action_yes(self) -> None:
        self.dismiss(True)


class Choose(Box[str]):
    """One of several things; its key in `choices`."""

    def __init__(self, told: Told, tongue: Tongue, choices: dict[str, str]) -> None:
        super().__init__(told, tongue)
        self._choices = choices

    def buttons(self) -> ComposeResult:
        for key, words in self._choices.items():
            yield Button(words, id=key)
        yield Button(self.tongue.say("Leave it"), id="leave")

    def on_mount(self) -> None:
        self.query_one("#leave").focus()

    def decided(self, button: str) -> None:
        self.dismiss(button)


class Reason(Box[str]):
    """A text that says why; never empty."""

    def fields(self) -> ComposeResult:
        yield Input(
            placeholder=self.tongue.say("why; everybody whose order waits reads it"), max_length=200, id="reason"
        )

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def decided(self, button: str) -> None:
        text = self.query_one(Input).value.strip()
        if text:
            self.dismiss(text)
        else:
            self.query_one(Input).focus()

    def on_input_submitted(self) -> None:
        self.decided("do")


class NewAccount(Box[tuple[str, str]]):
    """A user code and its password."""

    def fields(self) -> ComposeResult:
        yield Input(placeholder=self.tongue.say("user code, such as 99X9999"), max_length=20, id="username")
        yield Input(placeholder=self.tongue.say("password"), max_length=200, password=True, id="password")

    def on_mount(self) -> None:
        self.query_one("#username", Input).focus()

    def decided(self, button: str) -> None:
        username, password = self.query_one("#username", Input), self.query_one("#password", Input)
        for field in (username, password):
            if not field.value.strip():
                field.focus()
                return
        self.dismiss((username.value.strip(), password.value))

    def on_input_submitted(self) -> None:
        self.decided("do")
