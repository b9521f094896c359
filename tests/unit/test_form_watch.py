"""When a form is held against the database, and what an answer, or none, means for the session."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest

from registre.document import Source
from registre.errors import DatabaseUnavailable, LayoutChanged, SiteUnavailable
from registre.forms import FormContract, SeenForm
from registre.site.profile import load_profile
from registre.site.tab import Tab
from registre.site.watch import FormWatch

PROFILE = load_profile()


def form(*buttons: str) -> str:
    contract = {"frames": [], "fields": [], "buttons": [{"name": b, "caption": "", "type": "submit"} for b in buttons]}
    return json.dumps(contract)


class Page:
    """A tab that shows this form; None is a page without the form's landmark."""

    def __init__(self, shown: str | None, *, cut: bool = False) -> None:
        self.profile = PROFILE
        self.page = self
        self._shown = shown
        self._cut = cut

    async def evaluate(self, script: str, argument: Any) -> str | None:
        assert argument["landmark"] == "#selCircnFoncr"
        return self._shown

    def refuse_cut(self) -> None:
        if self._cut:
            raise SiteUnavailable("The connection to the site was lost in the middle of a page.")


class Book:
    """Accepts forms without buttons, unless it has something to raise."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False

    def observe(self, source: Source, contract: FormContract) -> str:
        self.asked += 1
        if self.away:
            raise DatabaseUnavailable("The database does not answer.")
        return "new button btnPaye" if contract.buttons else ""

    def known(self) -> list[SeenForm]:
        raise NotImplementedError

    def accept(self, source: Source, author: str) -> bool:
        raise NotImplementedError


class Watched:
    def __init__(self) -> None:
        self.book = Book()
        self.now = 0.0
        self.watch = FormWatch(self.book, lambda: self.now)

    def check(self, page: Page, source: Source = Source.INDEX) -> None:
        asyncio.run(self.watch.check(cast("Tab", page), source))

    def note(self, page: Page) -> None:
        asyncio.run(self.watch.note(cast("Tab", page), Source.INDEX))


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_an_accepted_form_is_asked_about_once_an_hour_for_each_source(watched: Watched) -> None:
    for at, asked in ((0, 1), (3599, 1), (3600, 2), (7199, 2)):
        watched.now = at
        watched.check(Page(form()))
        assert watched.book.asked == asked
    watched.check(Page(form()), Source.PLAN)
    assert watched.book.asked == 3


def test_a_changed_form_is_refused_by_its_source_every_time(watched: Watched) -> None:
    for _ in range(2):
        with pytest.raises(LayoutChanged, match=r"The form of index has changed: new button btnPaye\.") as change:
            watched.check(Page(form("btnPaye")))
        assert change.value.source == Source.INDEX
    assert watched.book.asked == 2


def test_a_form_nobody_can_judge_is_not_taken_for_a_known_one(watched: Watched) -> None:
    watched.book.away = True
    with pytest.raises(DatabaseUnavailable):
        watched.check(Page(form()))
    watched.book.away = False
    watched.check(Page(form()))
    assert watched.book.asked == 2


def test_a_known_form_needs_no_database_within_the_hour(watched: Watched) -> None:
    watched.check(Page(form()))
    watched.book.away = True
    watched.check(Page(form()))
    watched.now = 3600
    with pytest.raises(DatabaseUnavailable):
        watched.check(Page(form()))


def test_half_a_page_and_a_page_without_the_landmark_are_not_told_to_the_database(watched: Watched) -> None:
    with pytest.raises(SiteUnavailable):
        watched.check(Page(form("btnPaye"), cut=True))
    watched.check(Page(None))
    assert watched.book.asked == 0


def test_what_is_seen_at_a_sign_in_stops_nobody(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.note(Page(form("btnPaye")))
    watched.book.away = True
    watched.note(Page(form()))
    assert watched.book.asked == 2
    assert "new button btnPaye" in caplog.text
    assert "The database does not answer." in caplog.text


def test_without_a_book_nothing_is_watched() -> None:
    asyncio.run(FormWatch().check(cast("Tab", Page(form("btnPaye"))), Source.INDEX))
