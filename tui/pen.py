"""Draws the small things a line is made of: states, bars, sparklines.

Invariant: with `ascii` nothing it draws leaves ASCII but the words themselves; colours come from the theme in use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text

from registre.plain import harmless
from tui.looks import Look
from tui.tongue import Tongue

BLOCKS = " ▁▂▃▄▅▆▇█"
LEVELS = " .:-=+*#@"


class Pen:
    """Made once per application; `colour` gives the theme's colour of a name, '' when there are no colours."""

    def __init__(self, tongue: Tongue, colour: Callable[[str], str], *, ascii_only: bool) -> None:
        self.tongue = tongue
        self.ascii_only = ascii_only
        self._colour = colour

    def text(self, words: object, colour: str = "", *, bold: bool = False) -> Text:
        """A text from outside, as it is: neither markup nor a command to the terminal."""
        style = " ".join(part for part in ("bold" if bold else "", self._colour(colour) if colour else "") if part)
        return Text(harmless(str(words)), style=style, no_wrap=True, end="")

    def badge(self, look: Look, word: str | None = None) -> Text:
        """Glyph, word, colour."""
        return self.text(f"{self.glyph(look)} {self.tongue.say(look.word) if word is None else word}", look.colour)

    def glyph(self, look: Look) -> str:
        return look.plain if self.ascii_only else look.glyph

    def mark(self) -> Text:
        return self.text("*" if self.ascii_only else "◉", "accent", bold=True)

    def bar(self, part: float, width: int, colour: str) -> Text:
        """So much of a whole."""
        full = max(0, min(width, round(part * width)))
        done, rest = ("#", "-") if self.ascii_only else ("━", "─")
        return self.text(done * full, colour) + self.text(rest * (width - full), "text-disabled")

    def spark(self, values: Sequence[float], width: int, colour: str) -> Text:
        """The last `width` values as heights."""
        shown, levels = list(values)[-width:], LEVELS if self.ascii_only else BLOCKS
        most = max(shown, default=0)
        heights = [0 if most == 0 or v <= 0 else max(1, round(v / most * (len(levels) - 1))) for v in shown]
        return self.text("".join(levels[height] for height in heights).rjust(width), colour)

    def joined(self, *parts: Text | str, by: str = "  ") -> Text:
        """What is not empty, side by side."""
        line = Text(no_wrap=True, end="")
        for part in parts:
            if not part:
                continue
            if line:
                line.append(by)
            line.append_text(part if isinstance(part, Text) else self.text(part))
        return line
