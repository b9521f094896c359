"""One session an account, dead when idle too long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from registre.document import Source
from registre.twin.sentences import NO_INDEX
from registre.twin.sessions import MAX_DEMANDS, SessionBook


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_a_second_login_kills_the_first_session_of_that_account_only() -> None:
    book = SessionBook(60, Clock())
    first, other, second = book.open("99T0001"), book.open("99T0002"), book.open("99T0001")
    assert book.find(first.token) is None
    assert book.find(second.token) is second
    assert book.find(other.token) is other
    book.close(first)
    assert book.find(second.token) is second


def test_the_idle_clock_starts_anew_with_each_request() -> None:
    clock = Clock()
    book = SessionBook(60, clock)
    session = book.open("99T0001")
    for _ in range(3):
        clock.advance(60)
        assert book.find(session.token) is session
    clock.advance(61)
    assert book.live() == []
    assert book.find(session.token) is None


def test_nobody_is_found_without_a_cookie() -> None:
    book = SessionBook(60, Clock())
    book.open("99T0001")
    assert book.find(None) is None
    assert book.find("") is None


def test_the_oldest_requests_are_forgotten_first() -> None:
    session = SessionBook(60, Clock()).open("99T0001")
    ids = [session.ask(Source.INDEX, NO_INDEX).id for _ in range(MAX_DEMANDS + 2)]
    assert list(session.demands) == ids[2:]
