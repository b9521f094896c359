"""What is measured, each as a function that returns plain numbers. Seconds unless the name says otherwise.

Invariant: a measured job is checked to be the one that was submitted; a number that could not be had is an error, not a gap.
"""

from __future__ import annotations

import contextlib
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, LiteralString, TypeVar

import psutil
import psycopg
from psycopg import sql

from benchmarks.queue.systems import System
from benchmarks.queue.wire import Child, ChildFailed, children

T = TypeVar("T")


class Patience:
    """Repeats what other programs disturbed, within a budget of seconds for the whole run, and counts what stayed disturbed.

    Disturbed: others (a hypervisor's other guests included) used more than 15 % of the processors meanwhile.
    """

    OTHERS = 0.15
    LOOK_SECONDS = 0.2

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self.measured = self.disturbed = 0

    def calmly(self, measure: Callable[[], T]) -> T:
        """The result of `measure`, begun when the machine was calm if that came in time."""
        self.measured += 1
        while True:
            while self._left > 0 and self._share(lambda: time.sleep(self.LOOK_SECONDS))[1] > self.OTHERS:
                self._left -= self.LOOK_SECONDS
            began = time.monotonic()
            result, others = self._share(measure)
            if others <= self.OTHERS:
                return result
            self._left -= time.monotonic() - began
            if self._left <= 0:
                self.disturbed += 1
                return result

    def _share(self, measure: Callable[[], T]) -> tuple[T, float]:
        busy, total, mine = look()
        result = measure()
        busy_now, total_now, mine_now = look()
        return result, (busy_now - busy - (mine_now - mine)) / max(0.01, total_now - total)


def look() -> tuple[float, float, float]:
    """Seconds of all processors since their start: busy, altogether, and ours: this process and all below it."""
    times = psutil.cpu_times()
    own = psutil.Process()
    mine = 0.0
    for process in (own, *own.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            used = process.cpu_times()
            mine += used.user + used.system
    idle = times.idle + times.iowait
    total = sum(times[:8])  # what guests used is in there already
    return total - idle, total, mine


@dataclass(frozen=True)
class Latency:
    """Milliseconds from the call that submits to the job in the consumer's hands."""

    p50: float
    p95: float
    samples: int


def latency(system: System, mode: str, samples: int, patience: Patience) -> Latency:
    """Jobs of priority 10, one at a time, each after the one before it is finished and 5 to 15 ms have passed."""
    numbers = count(1)
    with children(lambda: system.child("submitter"), lambda: system.child("consumer")) as (submitter, consumer):

        def sample(how_many: int) -> list[float]:
            consumer.ask(mode)
            seen = []
            for number in islice(numbers, how_many):
                time.sleep(random.uniform(0.005, 0.015))
                submitted = submitter.ask("submit", number=number)
                started = consumer.hear()
                if started["number"] != number:
                    raise ChildFailed(f"{system.name} started job {started['number']} instead of {number}")
                seen.append((started["at"] - submitted["at"]) * 1000)
            consumer.ask("stop")
            return seen

        sample(10)  # connections and plans are made in the first few
        measured = patience.calmly(lambda: sample(samples))
    return Latency(percentile(measured, 50), percentile(measured, 95), len(measured))


def throughput(
    system: System, mode: str, consumers: tuple[int, ...], seconds: float, waiting: int, patience: Patience
) -> dict[int, float]:
    """Jobs per second, for each number of consumers; a consumer is a process with one job at a time."""
    rates: dict[int, float] = {}
    with children(*[lambda: system.child("consumer")] * max(consumers)) as started:

        def rate(working: list[Child]) -> float:
            system.fill_to(waiting)
            together(working, mode)
            time.sleep(seconds)
            tallies = together(working, "stop")
            done = sum(tally["count"] for tally in tallies)
            taken = waiting - system.count_waiting()
            # one job a consumer may be in hand, and pgqueuer's manager holds up to ten
            if done == 0 or abs(taken - done) > 10 * len(working):
                raise ChildFailed(f"{system.name} {mode}: {done} jobs were counted and {taken} were taken")
            first = min(tally["first"] for tally in tallies if tally["count"])
            return float(done / (max(tally["last"] for tally in tallies) - first))

        for number in consumers:
            rates[number] = patience.calmly(lambda working=started[:number]: rate(working))  # type: ignore[misc]
    return rates


def together(working: list[Child], do: str) -> list[dict[str, Any]]:
    for child in working:
        child.tell(do)
    return [child.hear() for child in working]


def bulk(system: System, rows: int, repeats: int, patience: Patience) -> float:
    """Seconds for one batch of `rows` into an empty queue; the median of some."""
    with children(lambda: system.child("submitter")) as (submitter,):

        def insert() -> float:
            system.empty()
            seconds = float(submitter.ask("bulk", rows=rows)["seconds"])
            if system.count_waiting() != rows:
                raise ChildFailed(f"{system.name} did not insert {rows} jobs")
            return seconds

        return statistics.median(patience.calmly(insert) for _ in range(repeats))


# ---- ours only


def lease_times(system: System, leases: int) -> list[float]:
    """Milliseconds in the server for each of `leases` calls of lease_next for one seat; the jobs are failed, unmeasured."""
    seat = "bench/boot"
    times: list[float] = []
    with system.connection() as connection:
        account = one(connection, "select id, token from registre.claim_accounts(%s, 1, 3600)", seat)
        seats = f'[{{"account": "{account[0]}", "token": {account[1]}, "worker": "bench/1"}}]'
        for _ in range(leases + 10):
            plan = one(
                connection,
                "explain (analyze, timing off, format json) select * from registre.lease_next(%s, %s::jsonb, 60)",
                seat,
                seats,
            )[0][0]
            times.append(float(plan["Execution Time"]))
            job = one(
                connection,
                "select id, lease_token from public.extraction_queue where status = 'En traitement' and lease_owner = %s",
                seat,
            )
            connection.execute("select registre.fail_job(%s, %s, 'not_found', 'No such document.')", (job[0], job[1]))
        connection.execute("select registre.release_account(%s, %s)", (account[0], account[1]))
    return times[10:]


def one(connection: psycopg.Connection[Any], statement: LiteralString, *values: Any) -> Any:
    row = connection.execute(sql.SQL(statement), values).fetchone()
    if row is None:
        raise ChildFailed(f"no row came from: {statement}")
    return row


@dataclass(frozen=True)
class Reading:
    """One thing people look at: its statement's time in milliseconds, and what its plan does to the queue's table."""

    name: str
    milliseconds: float
    nodes: tuple[str, ...]
    blocks: int
    plan: str

    @property
    def scans_everything(self) -> bool:
        return any(node.startswith(("Seq Scan", "Parallel Seq Scan", "Function Scan")) for node in self.nodes)


PAGE = 100
COUNTS: LiteralString = "select * from registre.count_jobs()"
OF_STATUS: LiteralString = "select * from registre.page_of_jobs(p_status => %s, p_limit => %s)"
BEHIND: LiteralString = "select registre.page_statement(%s, null, null, null, null, null, null, %s)"
BY_ID: LiteralString = "select * from registre.job_as_seen(p_id => %s)"


def readings(system: System, repeats: int) -> list[Reading]:
    """Times without EXPLAIN, client and wire included; plans with it, for bound values, as the gateway sends them.

    A hundred of the oldest jobs are made failed ones: the page for which the newest rows are read in vain.
    """
    seen = []
    with system.connection() as connection:
        connection.prepare_threshold = None
        connection.execute(
            "update public.extraction_queue set status = 'Erreur', finished_at = now() where id in "
            "(select id from public.extraction_queue where status = 'En attente' order by created_at, id limit 100)"
        )
        connection.execute("vacuum (analyze) public.extraction_queue")
        some_id = one(connection, "select id from public.extraction_queue limit 1")[0]
        asked: tuple[tuple[str, LiteralString, tuple[object, ...]], ...] = (
            ("counts", COUNTS, ()),
            ("first page, all", OF_STATUS, (None, PAGE)),
            ("first page, waiting", OF_STATUS, ("En attente", PAGE)),
            ("first page, failed: the 100 oldest", OF_STATUS, ("Erreur", PAGE)),
            ("first page, completed: none", OF_STATUS, ("Complété", PAGE)),
            ("one job", BY_ID, (some_id,)),
        )
        for name, statement, values in asked:
            times = []
            for _ in range(repeats):
                at = time.perf_counter()
                connection.execute(sql.SQL(statement), values).fetchall()
                times.append(time.perf_counter() - at)
            planned, bound = behind(connection, statement, values)
            plan = one(connection, as_explain(planned, "json"), *bound)[0][0]["Plan"]
            text = connection.execute(sql.SQL(as_explain(planned, "text")), bound).fetchall()
            seen.append(
                Reading(
                    name,
                    statistics.median(times) * 1000,
                    tuple(queue_nodes(plan)),
                    int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]),
                    "\n".join(str(row[0]) for row in text),
                )
            )
    return seen


def behind(
    connection: psycopg.Connection[Any], statement: LiteralString, values: tuple[object, ...]
) -> tuple[LiteralString, tuple[object, ...]]:
    """The statement that a function executes, with its values: seen from outside, a function has no plan."""
    if statement == OF_STATUS:
        return one(connection, BEHIND, *values)[0], ()
    if statement == BY_ID:
        columns = one(connection, "select registre.seen_columns()")[0]
        return "select " + columns + " from public.extraction_queue q where q.id = %s", values  # noqa: S608 - the columns are our own
    return statement, values


def as_explain(statement: LiteralString, form: LiteralString) -> LiteralString:
    return "explain (analyze, buffers, format " + form + ") " + statement


def queue_nodes(plan: dict[str, Any]) -> list[str]:
    """The nodes of a plan that read the queue's table or hide how they do, outermost first."""
    found = []
    if plan.get("Relation Name") == "extraction_queue" or plan["Node Type"] == "Function Scan":
        kind = ("Parallel " if plan.get("Parallel Aware") else "") + plan["Node Type"]
        removed = plan.get("Rows Removed by Filter", 0)
        found.append(
            kind
            + (f" {plan['Index Name']}" if "Index Name" in plan else "")
            + (f", {removed:,} rows read in vain" if removed else "")
        )
    for child in plan.get("Plans", ()):
        found += queue_nodes(child)
    return found


def percentile(values: list[float], percent: int) -> float:
    """Linear between the two nearest."""
    return float(statistics.quantiles(values, n=100, method="inclusive")[percent - 1])
