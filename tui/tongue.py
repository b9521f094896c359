"""What the dashboard says, in French or English.

Invariant: every sentence shown is an argument of `say`, `many` or `N_` somewhere, in English; a test holds the French catalogue
against all of them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib.resources import files

from registre import language
from registre.language import Language
from registre.reasons import reason


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for what is translated where it is shown
    """Marks a sentence that is kept in a table, to be said later."""
    return text


class Tongue:
    """One language."""

    def __init__(self, spoken: Language) -> None:
        self.language = spoken
        self._known = language.translations(spoken, files("tui") / "locale")

    def say(self, text: str, /, **values: object) -> str:
        """The sentence, its `%(name)s` filled in."""
        told = self._known.gettext(text) if text else ""
        return told % values if values else told

    def many(self, one: str, more: str, count: int, /, **values: object) -> str:
        return self._known.ngettext(one, more, count) % {"n": self.number(count), **values}

    def reason(self, text: str | None) -> str:
        """What the server says in a sentence of its own: why something waits, how it ended, what a rule refuses.

        Names, and what the site itself said, stay as they are.
        """
        return reason(text, self.language) if text else ""

    def money(self, cents: int) -> str:
        return language.money(cents, self.language)

    def number(self, value: float) -> str:
        return language.number(value, self.language)

    def clock(self, at: datetime | None, *, seconds: bool = False) -> str:
        """The time of day in America/Toronto; '' for None."""
        return language.clock(at, self.language, seconds=seconds) if at else ""

    def moment(self, at: datetime | None, now: datetime) -> str:
        """The time of day, and the day too when it is not today's; '' for None."""
        if at is None:
            return ""
        same = at.astimezone(language.TORONTO).date() == now.astimezone(language.TORONTO).date()
        return language.clock(at, self.language) if same else language.instant(at, self.language)[:16]

    def span(self, span: timedelta | float | None) -> str:
        return "" if span is None else language.duration(span)
