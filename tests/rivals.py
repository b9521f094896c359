"""Two programs at once: a transaction held open by the test stands for the one that is slower."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from registre.account import Seat
from tests.desk import BACKOFF, HOST_GONE, LEGACY, OWNER, VISIBILITY, Desk
from tests.waiting import SECONDS, until


class Slow:
    """Another program in the middle of a call: what it did is done, and not yet committed."""

    def __init__(self, desk: Desk, connection: psycopg.Connection[Any]) -> None:
        self._desk = desk
        self.connection = connection

    def call(self, function: str, **arguments: object) -> list[tuple[Any, ...]]:
        named = ", ".join(f"p_{name} => %({name})s" for name in (*arguments, "now"))
        statement = f"select * from registre.{function}({named})"  # noqa: S608 - names of this test
        return self.connection.execute(statement.encode(), {**arguments, "now": self._desk.now}).fetchall()

    def reclaim(self) -> list[tuple[Any, ...]]:
        return self.call(
            "reclaim", backoff_seconds=BACKOFF, host_gone_seconds=HOST_GONE, legacy_seconds=LEGACY, limit=100
        )

    def lease(self, seats: list[Seat], owner: str = OWNER) -> list[tuple[Any, ...]]:
        told = [{"account": s.account_id, "token": s.token, "worker": s.worker} for s in seats]
        return self.call("lease_next", owner=owner, seats=Jsonb(told), visibility_seconds=VISIBILITY)

    def commit(self) -> None:
        self.connection.commit()

    def give_up(self) -> None:
        self.connection.rollback()


@contextmanager
def meanwhile(desk: Desk, act: Callable[[], Any], *, waits: bool = True) -> Iterator[Future[Any]]:
    """Begin `act`, see that it waits for a lock (unless it need not), then go on with the block; at its end `act` must have
    ended."""
    locked = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        until(lambda: acting.done() or desk.sql(locked), "the other call neither waited nor ended")
        assert not (waits and acting.done()), "the other call did not wait"
        yield acting
        acting.exception(SECONDS)
