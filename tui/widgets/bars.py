"""The lines around every view: where one is, how the connection stands, which keys do something here.

Invariant: each name and key in them can be clicked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.content import Content
from textual.widgets import Static

from registre.access import Role
from tui.pen import Pen


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is pressed and as it is shown, what it does, and the role that needs."""

    key: str
    shown: str
    does: str
    needs: Role = Role.VIEWER


class Words(Static):
    """A text that is drawn again only when it changed; the others move for it only if it `grows`."""

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
        grows: bool = False,
    ) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._grows = grows
        self._shown: object = None

    def put(self, words: Content | Text | str) -> None:
        if words != self._shown or (isinstance(words, Text) and words.spans != getattr(self._shown, "spans", None)):
            self._shown = words
            self.update(words, layout=self._grows)


class TopBar(Words):
    """The views by their numbers, and on the right the clock."""

    def draw(self, names: Sequence[tuple[str, str]], here: str, right: str, *, short: bool) -> None:
        """`names` are (mode, name); with `short` only the view one is in has its name."""
        parts: list[Content] = [Content.styled(" registre ", "bold reverse"), Content(" ")]
        for number, (mode, name) in enumerate(names, 1):
            shown = f" {number} {name} " if not short or mode == here else f" {number} "
            style = "bold $primary on $panel" if mode == here else "$text-muted"
            parts.append(Content.styled(shown, f"{style} @click=app.show_view('{mode}')"))
        left = Content("").join(parts)
        room = max(1, self.size.width - left.cell_length - len(right) - 1)
        self.put(left + Content(" " * room) + Content.styled(right, "$text-muted"))


class Banner(Static):
    """One sentence about the connection or about what could not be done; hidden while there is none."""

    _drawn = ("", False)

    def draw(self, sentence: str, *, is_grave: bool) -> None:
        if (sentence, is_grave) != self._drawn:
            self._drawn = sentence, is_grave
            self.display = bool(sentence)
            self.set_class(is_grave, "-grave")
            self.update(Content(sentence))


class KeyBar(Words):
    """The keys of this view, each with what it does."""

    def draw(self, own: Sequence[Key], always: Sequence[Key], pen: Pen) -> None:
        """Those of every view in any case, and before them as many of the view's own as there is room for."""
        end = Content("").join(self._parts(always, pen))
        line, room = Content(""), self.size.width - 1 - end.cell_length
        for part in self._parts(own, pen):
            if line.cell_length + part.cell_length > room:
                break
            line += part
        self.put(line + end)

    @staticmethod
    def _parts(keys: Sequence[Key], pen: Pen) -> list[Content]:
        return [
            Content.assemble(
                (f" {key.shown} ", f"bold $accent @click=app.press('{key.key}')"),
                (f"{pen.tongue.say(key.does)} ", f"$text-muted @click=app.press('{key.key}')"),
            )
            for key in keys
        ]


class TooSmall(Static):
    """What a terminal shows that has no room for a view."""

    def draw(self, sentence: str) -> None:
        if self.display:
            self.update(Content(sentence))
