"""What is measured of a fleet of hosts, and what is checked of it.

Invariant: times of the server are the server's own (`pg_stat_user_functions`); what the database says of leases is held against
what the simulated site saw.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Event, Thread
from typing import Any, LiteralString

import psutil
import psycopg
from psycopg.rows import dict_row

from benchmarks.queue.measures import look, percentile
from benchmarks.queue.wire import Child

FUNCTIONS: LiteralString = """
    select funcname as name, calls, total_time, self_time from pg_stat_user_functions where schemaname = 'registre'"""
PAGES: LiteralString = """
    select substring(query from '^select \\* from registre\\."(\\w+)"') as name, sum(calls)::bigint as calls,
        sum(shared_blks_hit + shared_blks_read)::bigint as pages
    from counted.pg_stat_statements where starts_with(query, 'select * from registre.') group by 1"""
CONNECTIONS: LiteralString = """
    select count(*) as n from pg_stat_activity where application_name = 'registre' and datname = current_database()"""
DOUBLE_LEASES: LiteralString = """
    select count(*) as n from (
        select started_at < lag(coalesce(ended_at, 'infinity')) over (partition by job_id order by started_at) as is_double
        from registre.attempts) a where is_double"""
DOUBLE_ACCOUNTS: LiteralString = """
    select count(*) as n from (
        select started_at < lag(coalesce(ended_at, 'infinity')) over (partition by account_id order by started_at) as is_double
        from registre.attempts) a where is_double"""
DOUBLE_PURCHASES: LiteralString = """
    select count(*) as n from (
        select from registre.purchases where state in ('charged', 'secured', 'delivered')
        group by identity_key having count(*) > 1) p"""


@dataclass
class Window:
    """One regime of one fleet, over `seconds`."""

    seconds: float
    calls: Counter[str]
    server: dict[str, tuple[int, float, float]]
    """Function → calls, milliseconds altogether, and without what it called in turn."""
    pages: dict[str, tuple[int, int]]
    """Function that a host calls → calls, and pages of tables and indexes they touched, with all that it called in turn."""
    processor_seconds: float
    """What all processes of PostgreSQL used: unlike its time, the same whoever else wants the machine."""
    leases: int
    ended: int
    took: dict[str, list[float]]
    connections: int
    busy: float
    """Share of all processors that was in use."""
    others: float
    """Share that other programs used."""
    waits: list[float] = field(default_factory=list)
    """Milliseconds from an order's insertion to its lease, of those inserted one by one."""

    @property
    def statements(self) -> float:
        return sum(self.calls.values()) / self.seconds

    @property
    def server_ms(self) -> float:
        """Milliseconds of the server's work in each second."""
        return sum(own for _, _, own in self.server.values()) / self.seconds

    @property
    def processor_ms(self) -> float:
        """Milliseconds of a processor that PostgreSQL used in each second."""
        return self.processor_seconds * 1000 / self.seconds

    def per_call(self, function: str) -> float:
        calls, total, _ = self.server.get(function, (0, 0.0, 0.0))
        return total / calls if calls else 0.0

    def pages_per_call(self, function: str) -> float:
        calls, pages = self.pages.get(function, (0, 0))
        return pages / calls if calls else 0.0

    def p95(self, function: str) -> float:
        times = self.took.get(function, [])
        return percentile(times, 95) if len(times) > 1 else 0.0


class Watch:
    """Reads the database and the children before and after a stretch of time."""

    def __init__(self, dsn: str, children: Sequence[Child]) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True, row_factory=dict_row, application_name="watch")
        self._children = children
        self._server = psutil.Process(self._connection.info.backend_pid).parent()

    def close(self) -> None:
        self._connection.close()

    def number(self, statement: LiteralString) -> int:
        row = self._connection.execute(statement).fetchone()
        assert row is not None
        return int(row["n"])

    def rows(self, statement: LiteralString, *values: object) -> list[dict[str, Any]]:
        return self._connection.execute(statement, values).fetchall()

    def window(self, seconds: float, meanwhile: Callable[[float], None] | None = None) -> Window:
        """Measure for so long, while `meanwhile` (told how long) does what it likes to the queue."""
        before, pages_before, calls_before = self._functions(), self._pages(), self._calls()
        leases, ended = self._counts()
        busy, total, mine = look()
        used = self._processor_seconds()
        began, most, done = time.monotonic(), 0, Event()
        if meanwhile is not None:
            Thread(target=_and_then, args=(lambda: meanwhile(seconds), done), daemon=True).start()
        else:
            done.set()
        pause = Event()
        while (gone := time.monotonic() - began) < seconds:
            most = max(most, self.number(CONNECTIONS))
            pause.wait(min(1.0, seconds - gone))
        done.wait(60)
        took_time = time.monotonic() - began
        busy_now, total_now, mine_now = look()
        used = self._processor_seconds() - used
        took: dict[str, list[float]] = {}
        calls = self._calls(took)
        leases_now, ended_now = self._counts()
        server = {
            name: tuple(now - was for now, was in zip(found, before.get(name, (0, 0.0, 0.0)), strict=True))
            for name, found in self._functions().items()
        }
        pages = {
            name: (calls_now - calls_was, pages_now - pages_was)
            for name, (calls_now, pages_now) in self._pages().items()
            for calls_was, pages_was in [pages_before.get(name, (0, 0))]
        }
        share = max(0.01, total_now - total)
        return Window(
            took_time,
            calls - calls_before,
            server,  # type: ignore[arg-type]
            pages,
            used,
            leases_now - leases,
            ended_now - ended,
            took,
            most,
            (busy_now - busy) / share,
            max(0.0, busy_now - busy - (mine_now - mine)) / share,
        )

    def _functions(self) -> dict[str, tuple[int, float, float]]:
        # Each backend tells its numbers at the end of a transaction, once a second at most.
        self._connection.execute("select pg_stat_clear_snapshot()")
        return {row["name"]: (row["calls"], row["total_time"], row["self_time"]) for row in self.rows(FUNCTIONS)}

    def _pages(self) -> dict[str, tuple[int, int]]:
        return {row["name"]: (row["calls"], row["pages"]) for row in self.rows(PAGES)}

    def _processor_seconds(self) -> float:
        assert self._server is not None
        own = self._server.cpu_times()
        seconds = own.user + own.system + own.children_user + own.children_system  # with the backends that have ended
        for backend in self._server.children():
            with suppress(psutil.NoSuchProcess):
                times = backend.cpu_times()
                seconds += times.user + times.system
        return float(seconds)

    def _calls(self, took: dict[str, list[float]] | None = None) -> Counter[str]:
        found: Counter[str] = Counter()
        for child in self._children:
            answer = child.ask("read")
            found.update(answer["calls"])
            for name, times in answer["took"].items():
                if took is not None:
                    took.setdefault(name, []).extend(times)
        return found

    def _counts(self) -> tuple[int, int]:
        [row] = self.rows("select count(*) as begun, count(ended_at) as ended from registre.attempts")
        return int(row["begun"]), int(row["ended"])

    def sessions(self) -> int:
        return sum(child.ask("read")["open"] for child in self._children)


def _and_then(work: Callable[[], None], done: Event) -> None:
    try:
        work()
    finally:
        done.set()


@dataclass(frozen=True)
class Doubles:
    """How often what must never be was; by the database, and by what the site saw."""

    leases: int
    accounts: int
    purchases: int
    sessions_seen: int
    orders_seen: int
    billed_seen: int

    @property
    def total(self) -> int:
        return self.leases + self.accounts + self.purchases + self.sessions_seen + self.orders_seen + self.billed_seen


def doubles(watch: Watch, told: Sequence[dict[str, Any]]) -> Doubles:
    """`told` is what each process noted until it stopped."""
    billed = Counter(number for each in told for number in each["billed"])
    return Doubles(
        watch.number(DOUBLE_LEASES),
        watch.number(DOUBLE_ACCOUNTS),
        watch.number(DOUBLE_PURCHASES),
        overlaps([stretch for each in told for stretch in each["sessions"]]),
        overlaps([stretch for each in told for stretch in each["orders"]]),
        sum(times - 1 for times in billed.values()),
    )


def overlaps(stretches: Sequence[tuple[str, float, float]]) -> int:
    """How many stretches of one name begin before the one before them has ended."""
    by_name = sorted((name, begin, end) for name, begin, end in stretches)
    return sum(one[0] == next_[0] and next_[1] < one[2] for one, next_ in pairwise(by_name))


def memory_mb() -> float:
    """What all processes below this one hold."""
    return sum(p.memory_info().rss for p in psutil.Process().children(recursive=True)) / 1e6
