"""The dashboard as it was: played, held, stepped through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from registre.errors import InvalidInput
from registre.language import Language
from registre.recording import BrowserMoment, Moment
from tests.tui.conftest import Desk
from tests.tui.fake import Clock, FakeApi
from tui.replay import Replay, instant_of

pytestmark = pytest.mark.anyio

START = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
STEPS = ("filling the form", "waiting for the viewer", "saving the document")


def recorded(*, away: bool = False) -> list[Moment]:
    return [
        Moment(
            START + timedelta(seconds=30 * n),
            "bureau",
            "1.2.3",
            (
                BrowserMoment("99T0001", "busy", f"{n:08x}", "index", "2 784 195", step, START),
                BrowserMoment("99T0002", "silent"),
            ),
            None if away else n,
            1,
            7,
            0,
            None if away else "every account is at work",
        )
        for n, step in enumerate(STEPS)
    ]


@asynccontextmanager
async def replayed(moments: list[Moment], begin: datetime | None = None) -> AsyncIterator[tuple[Desk, Clock]]:
    app, clock = Replay(moments, begin, spoken=Language.ENGLISH), Clock()
    app.monotonic = clock.monotonic
    async with app.run_test(size=(140, 30)) as pilot:
        desk = Desk(app, pilot, FakeApi())
        await desk.until_shown("99T0001")
        yield desk, clock
        assert app.stumbles == []


async def test_it_is_stepped_through_moment_by_moment() -> None:
    async with replayed(recorded()) as (desk, _):
        await desk.until_shown("held", "1/3", "2026-11-26 13:00:00", "filling the form", "0 wait", "? not heard of")
        await desk.press("right")
        await desk.until_shown(
            "2/3", "13:00:30", "waiting for the viewer", "1 waits", "30 s", "every account is at work"
        )
        await desk.press("right", "right")
        await desk.until_shown("3/3", "saving the document")
        await desk.press("left")
        await desk.until_shown("2/3")
        await desk.press("pageup")
        await desk.until_shown("1/3")


async def test_it_plays_with_the_clock_and_stops_at_the_end() -> None:
    async with replayed(recorded()) as (desk, clock):
        await desk.press("space")
        await desk.until_shown("playing ×1")
        clock.advance(31)
        await desk.until_shown("2/3", "13:00:31")
        await desk.press("s")
        clock.advance(10)
        await desk.until_shown("held ×5", "3/3")
        await desk.press("space")
        await desk.until_shown("playing", "1/3")
        await desk.press("space")
        await desk.until_shown("held")


async def test_it_begins_where_it_is_asked_to_and_shows_nothing_else() -> None:
    begin = instant_of("13:00:40", recorded())
    async with replayed(recorded(), begin) as (desk, _):
        await desk.until_shown("2/3")
        for keys in (("2",), ("enter",)):
            await desk.press(*keys)
            await desk.until_shown("Only the fleet was recorded.")
        await desk.press("p")
        await desk.until_shown("Nothing is changed with --read-only.")
        assert "$" not in desk.text(), "of money nothing is recorded"


async def test_a_database_that_was_away_is_told() -> None:
    async with replayed(recorded(away=True)) as (desk, _):
        await desk.until_shown("the database was away")


async def test_a_time_of_day_is_the_last_such_that_is_recorded() -> None:
    moments = recorded()
    assert instant_of("13:01", moments) == START + timedelta(minutes=1)
    for text, words in (("13h", "is no time of day"), ("25:00", "is no time of day"), ("13:05", "is not recorded")):
        with pytest.raises(InvalidInput, match=words):
            instant_of(text, moments)
