"""Sentences, amounts and instants in two languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from registre.language import Language, clock, duration, instant, money, number, translations

NOW = datetime(2026, 11, 26, 18, 5, 9, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fr.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n > 1);\\n"\n\n'
        'msgid "Orders"\nmsgstr "Commandes"\n\nmsgid "%(n)s order"\nmsgid_plural "%(n)s orders"\n'
        'msgstr[0] "%(n)s commande"\nmsgstr[1] "%(n)s commandes"\n',
        encoding="utf-8",
    )
    return tmp_path


def test_a_sentence_is_told_in_french_and_an_unknown_one_as_it_is(folder: Path) -> None:
    french = translations(Language.FRENCH, folder)
    assert (french.gettext("Orders"), french.gettext("Batches")) == ("Commandes", "Batches")
    assert french.ngettext("%(n)s order", "%(n)s orders", 0) == "%(n)s commande"
    assert french.ngettext("%(n)s order", "%(n)s orders", 2) == "%(n)s commandes"


def test_english_needs_no_catalogue(folder: Path) -> None:
    assert translations(Language.ENGLISH, folder).gettext("Orders") == "Orders"


def test_amounts_and_instants_are_those_of_quebec() -> None:
    assert money(150, Language.FRENCH).replace("\xa0", " ") == "1,50 $"
    assert money(150, Language.ENGLISH) == "$1.50"
    assert number(12345, Language.FRENCH).replace("\xa0", " ") == "12 345"
    assert instant(NOW, Language.FRENCH) == "2026-11-26 13:05:09"
    assert (clock(NOW, Language.FRENCH), clock(NOW, Language.ENGLISH, seconds=True)) == ("13:05", "13:05:09")


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (0.4, "0 s"),
        (59.6, "1 min 00"),
        (245, "4 min 05"),
        (timedelta(hours=2, minutes=10), "2 h 10"),
        (75 * 3600, "75 h"),
    ],
)
def test_durations_are_short(span: float | timedelta, told: str) -> None:
    assert duration(span) == told
