"""What the law of storms takes for a sentence a clerk understands."""

from __future__ import annotations

import pytest

from benchmarks.storm.law import is_plain


@pytest.mark.parametrize(
    "message",
    [
        "La fiche immobilière demandée est inexistante.",
        "The site offers only similar documents (10113342 Acte 1991-02-03); none is Acte 10113341.",
        "The circonscription 'Xylophone' does not name one choice of the site's list; nothing on the site's list is close.",
    ],
)
def test_a_sentence_is_plain(message: str) -> None:
    assert is_plain(message)


@pytest.mark.parametrize(
    "message",
    [
        None,
        "",
        "failed",
        "Traceback (most recent call last): it went wrong.",
        "Page.goto: net::ERR_CONNECTION_REFUSED at the site.",
        "The option {'value': '3'} was refused by it.",
        "The answer was None when it should not be.",
    ],
)
def test_what_a_program_says_is_not(message: str | None) -> None:
    assert not is_plain(message)
