"""Notices are sent by tasks, retried when they are due, and brought again by the relay when the broker has lost them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

import pytest

from actors.tasks import Tasks
from registre.delivery import Deliverer
from registre.errors import DatabaseUnavailable
from registre.notifying import Notifier, NotTaken
from registre.spool import Spool
from registre.webhooks import RETRY_AFTER, NewWebhook, Notice, NoticeId, NoticeState, WebhookId, make_secret
from tests.memory.store import MemoryStore
from tests.waiting import until


class Other:
    """Another program, which takes as many notices as a test says."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.refuses = 0
        self.told: list[NoticeId] = []

    def post(self, notice: Notice, body: bytes, at: datetime) -> int:
        assert notice.id.encode() not in body, f"the id goes beside it, at {at}"
        with self._lock:
            self.told.append(notice.id)
            if self.refuses:
                self.refuses -= 1
                raise NotTaken("example.com answered 500.", 500)
        return 204


class World:
    """Tasks over the store in memory, under a clock of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.now = datetime.fromisoformat("2026-06-01T12:00:00+00:00")
        self.store = MemoryStore(lambda: self.now)
        self.other = Other()
        self.hook: WebhookId = self.store.webhooks.add(
            NewWebhook("a firm", "https://example.com/"), make_secret(), "a test"
        )
        self.notifier = Notifier(self.store.webhooks, self.other)
        deliverer = Deliverer(Spool(folder), self.store.bucket, self.store.ledger)
        self.tasks = Tasks(deliverer, self.notifier)

    def until(self, look: Callable[[], bool], otherwise: str) -> None:
        """Relay again and again, as the supervisor's tick does."""

        def relayed() -> bool:
            self.tasks.relay()
            return look()

        until(relayed, otherwise)

    def state(self) -> tuple[NoticeState, int]:
        [notice] = self.store.webhooks.notices(self.hook)
        return notice.state, notice.attempts


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_notice_is_sent_at_the_next_relay_and_once(world: World) -> None:
    world.tasks.start()
    try:
        world.store.webhooks.test(world.hook)
        world.until(lambda: world.state() == (NoticeState.DELIVERED, 1), "the notice was not sent")
        world.tasks.relay()
        assert len(world.other.told) == 1
    finally:
        world.tasks.stop()


def test_a_notice_that_is_not_taken_is_tried_again_when_it_is_due(world: World) -> None:
    world.other.refuses = 1
    world.tasks.start()
    try:
        world.store.webhooks.test(world.hook)
        world.until(lambda: world.state() == (NoticeState.WAITING, 1), "it was not tried")
        world.until(lambda: world.store.webhooks.notices(world.hook)[0].error is not None, "it was not noted")
        [notice] = world.store.webhooks.notices(world.hook)
        assert (notice.status, notice.error) == (500, "example.com answered 500.")
        assert notice.next_at == world.now + RETRY_AFTER[0]
        world.now += RETRY_AFTER[0]
        world.until(lambda: world.state() == (NoticeState.DELIVERED, 2), "it was not tried again")
    finally:
        world.tasks.stop()


def test_a_notice_that_is_never_taken_is_given_up(world: World) -> None:
    world.other.refuses = 99
    notice = world.store.webhooks.test(world.hook)
    told = []
    for wait in (*RETRY_AFTER, timedelta(0)):
        told.append(world.notifier.send(notice))
        assert world.notifier.send(notice) == "gone", "it is not due yet, or over"
        world.now += wait
    assert told == ["again"] * len(RETRY_AFTER) + ["given up"]
    assert world.state() == (NoticeState.GIVEN_UP, len(RETRY_AFTER) + 1)


def test_what_a_sender_that_died_had_claimed_comes_back(world: World) -> None:
    notice = world.store.webhooks.test(world.hook)
    assert world.store.webhooks.claim(notice, 60) is not None
    assert world.notifier.plan() == []
    world.now += timedelta(seconds=61)
    assert world.notifier.plan() == [notice]


def test_a_database_that_is_away_only_delays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []
    plan = world.store.webhooks.plan

    def away() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise DatabaseUnavailable("The database does not answer.")
        return plan()

    monkeypatch.setattr(world.store.webhooks, "plan", away)
    world.tasks.start()
    try:
        world.store.webhooks.test(world.hook)
        world.until(lambda: world.state()[0] is NoticeState.DELIVERED, "the notice was not sent")
        assert len(tries) >= 3
    finally:
        world.tasks.stop()
