"""What people read, in French or English: sentences by gettext catalogue; amounts, instants and durations by locale.

Invariant: the English sentence is the key of its translation; one that a catalogue lacks is shown in English, never an error.
"""

from __future__ import annotations

import gettext
import io
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.resources.abc import Traversable
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

TORONTO = ZoneInfo("America/Toronto")


class Language(StrEnum):
    """The operator's; French is what an unknown one is served."""

    FRENCH = "fr"
    ENGLISH = "en"

    @property
    def locale(self) -> str:
        return f"{self}_CA"


def translations(language: Language, folder: Traversable) -> gettext.NullTranslations:
    """The sentences of `folder`/<language>.po; those as they are written, for a language without such a file."""
    file = folder / f"{language}.po"
    if not file.is_file():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with file.open("rb") as source:
        write_mo(compiled, read_po(source, locale=str(language)))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def money(cents: int, language: Language) -> str:
    """`1,50 $` or `$1.50`."""
    return format_currency(cents / 100, "CAD", locale=language.locale)


def number(value: float, language: Language) -> str:
    return format_decimal(value, locale=language.locale)


def instant(at: datetime, language: Language) -> str:
    """Day and time in America/Toronto, to the second."""
    return format_datetime(at, "yyyy-MM-dd HH:mm:ss", tzinfo=TORONTO, locale=language.locale)


def clock(at: datetime, language: Language, *, seconds: bool = False) -> str:
    """The time of day in America/Toronto."""
    return format_time(at.astimezone(TORONTO), "HH:mm:ss" if seconds else "HH:mm", locale=language.locale)


def duration(span: timedelta | float) -> str:
    """Short, and the same in both languages: `1 s`, `4 min 05`, `2 h 10`, `75 h`."""
    seconds = round(span.total_seconds() if isinstance(span, timedelta) else span)
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02}" if hours < 48 else f"{hours} h"
