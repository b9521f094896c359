"""The right to work on a page."""

from __future__ import annotations

import asyncio

from registre.site.permits import Permit


def test_what_is_lent_is_another_ones_meanwhile_and_comes_back() -> None:
    async def play() -> None:
        places = asyncio.Semaphore(1)
        mine, other = Permit(places), Permit(places)
        await mine.take()
        async with mine.lent(1):
            await other.take()
            assert places.locked()
            other.end()
        assert places.locked()
        mine.end()
        assert not places.locked()

    asyncio.run(play())


def test_work_that_has_ended_takes_no_place_with_its_old_permit() -> None:
    async def play() -> None:
        places = asyncio.Semaphore(1)
        old = Permit(places)
        await old.take()
        old.end()
        async with old.lent(1):
            pass
        await old.take()
        assert not places.locked()

    asyncio.run(play())


def test_a_place_that_does_not_come_back_in_time_is_not_waited_for() -> None:
    async def play() -> None:
        places = asyncio.Semaphore(1)
        mine, other = Permit(places), Permit(places)
        await mine.take()
        async with mine.lent(0.01):
            await other.take()
        mine.end()
        assert places.locked()
        other.end()
        assert not places.locked()

    asyncio.run(play())
