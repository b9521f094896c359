"""The growth table, what its numbers mean, and what is not flat."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchmarks.queue.systems import machine

if TYPE_CHECKING:
    from benchmarks.scaling.measures import Window
    from benchmarks.scaling.run import Size, Step

FLAT = 0.5
"""How much more a host may cost in the largest fleet than in the smallest of several hosts. One host alone pays for the upkeep of
all, and is compared with nobody."""

WORK = (
    "hosts",
    "accounts",
    "orders/s",
    "statements/s of a host",
    "server ms/s of a host",
    "PostgreSQL's processor, ms/s of a host",
    "`lease_next`: pages, server, p95 at the host",
    "`renew` of 20 + 20 leases: pages, server, p95 at the host",
    "`note_step`: server",
    "connections, of a host",
    "twice",
    "machine busy",
)
QUIET = (
    "hosts",
    "idle: statements/s of a host",
    "idle: server ms/s of a host",
    "idle: PostgreSQL's processor, ms/s of a host",
    "trickle: `lease_next` an order",
    "trickle: statements/s of a host",
    "trickle: server ms/s of a host",
    "order inserted → leased, p50 / p95",
)

NOTES = """\
**How it was simulated.** Each host is the product's own fleet (supervisor, dispatcher, lease keeper, recorder, a browser actor \
and a thread for each account, spool, tasks, listener) with a connection pool of its own; the hosts share {processes} Python \
processes, since two cores hold no fifty. Only the site is simulated: an order takes {order:.0f} s there, give or take 80 %, all \
of it waiting. Spools and buckets are in memory. PostgreSQL is the product's, waiting for the disk at each commit, with \
`max_connections` raised; server, hosts and harness share the machine, {precedence}. Server time is the server's own \
(`track_functions`), of all functions of the schema, without parsing, planning of the outer call, network and commit, \
and with every wait: for a processor, the disk, a row. A lease and a renewal are judged by it, and by how many times that of \
the simplest write it is, a step noted (`note_step`), in the same minute. PostgreSQL's processor is what all its processes used, \
with all of that and without the waits. Pages are those of tables and indexes that a call touches (`pg_stat_statements`), with \
all that it calls in turn: what it has to do, however busy the machine is. Every size is a new fleet on an emptied database, \
measured {warm:.0f} s after every account has work, so that the first rush has passed. Renewals come each 20 s, one call for a \
host.

* *At work*: a backlog larger than what is taken, every account with an order. *Trickle*: every account idle, {rate:g} orders a \
second one by one, an order takes 1 s. *Idle*: nothing to do.
* *Twice* counts orders with two leases at one time, accounts with two orders at one time and documents bought twice, by the \
database's rows; and sessions of one account, and work on one document, that overlap, by what the simulated site saw in all \
processes. It must be 0.\
"""

PRECEDENCE = """\
PostgreSQL before all else (the scheduler's real-time class, in turns among its processes), so that it waits for no host's \
thread, as on a machine of its own with two processors"""
NO_PRECEDENCE = "without precedence for PostgreSQL (not permitted), so that it also waits for the hosts' threads"


def _call(window: Window, function: str) -> str:
    return f"{window.pages_per_call(function):.0f}, {window.per_call(function):.2f} ms, {window.p95(function):.1f} ms"


def _in_steps(window: Window, function: str) -> float:
    step = window.per_call("note_step")
    return window.per_call(function) / step if step else 0.0


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def render(steps: Sequence[Step], size: Size, accounts: int, seconds: float, precedence: bool) -> tuple[str, list[str]]:
    """The report, and a sentence for each thing that is not as it should be."""
    others = max(window.others for step in steps for window in (step.idle, step.trickle, step.full))
    missed: list[str] = []
    lines = [
        "# Many hosts, measured",
        "",
        " · ".join(
            (
                machine(),
                f"{datetime.now(UTC):%Y-%m-%d}",
                f"{accounts} accounts a host",
                f"{seconds:.0f} s",
                f"other programs used up to {others:.0%} of the machine meanwhile",
            )
        ),
        "",
        "At work:",
        "",
        _row(WORK),
        _row(["---"] * len(WORK)),
    ]
    for step in steps:
        full, hosts = step.full, step.hosts
        lines.append(
            f"| {hosts} | {hosts * accounts} | {full.ended / full.seconds:.1f} | {full.statements / hosts:.1f} "
            f"| {full.server_ms / hosts:.2f} | {full.processor_ms / hosts:.1f} "
            f"| {_call(full, 'lease_next')} | {_call(full, 'renew')} | {full.per_call('note_step'):.2f} ms "
            f"| {full.connections}, {full.connections / hosts:.1f} "
            f"| {step.doubles.total} | {full.busy:.0%} |"
        )
        if step.doubles.total:
            missed.append(f"{hosts} hosts: {step.doubles}")
        if not step.clean:
            missed.append(f"{hosts} hosts: not every drain was clean")
    lines += [
        "",
        "Idle, and with orders that trickle in:",
        "",
        _row(QUIET),
        _row(["---"] * len(QUIET)),
    ]
    for step in steps:
        idle, trickle, hosts = step.idle, step.trickle, step.hosts
        waits = sorted(trickle.waits)
        p95 = waits[min(len(waits) - 1, round(0.95 * len(waits)))] if waits else 0.0
        lines.append(
            f"| {hosts} | {idle.statements / hosts:.1f} | {idle.server_ms / hosts:.2f} "
            f"| {idle.processor_ms / hosts:.1f} "
            f"| {trickle.calls['lease_next'] / max(1, len(waits)):.1f} | {trickle.statements / hosts:.1f} "
            f"| {trickle.server_ms / hosts:.2f} | {statistics.median(waits) if waits else 0:.0f} / {p95:.0f} ms |"
        )
    grown: list[str] = []
    several = [step for step in steps if step.hosts > 1]
    if len(several) > 1:
        costs: tuple[tuple[str, Callable[[Step], float]], ...] = (
            ("a host's processor of PostgreSQL at work", lambda step: step.full.processor_ms / step.hosts),
            ("a host's statements at work", lambda step: step.full.statements / step.hosts),
            ("a lease, in pages,", lambda step: step.full.pages_per_call("lease_next")),
            ("a renewal, in pages,", lambda step: step.full.pages_per_call("renew")),
            ("a lease", lambda step: step.full.per_call("lease_next")),
            ("a renewal", lambda step: step.full.per_call("renew")),
            ("a lease, in the time of a step noted,", lambda step: _in_steps(step.full, "lease_next")),
            ("a renewal, in the time of a step noted,", lambda step: _in_steps(step.full, "renew")),
        )
        for name, cost in costs:
            first, last = cost(several[0]), cost(several[-1])
            if first:
                grown.append(f"{name} {last / first - 1:+.0%}")
            if last > first * (1 + FLAT):
                missed.append(
                    f"{name} costs {last / first - 1:+.0%} from {several[0].hosts} to {several[-1].hosts} hosts"
                )
    largest = steps[-1]
    by_function = sorted(largest.full.server.items(), key=lambda found: -found[1][2])[:8]
    lines += [
        "",
        f"Where the server's time goes with {largest.hosts} hosts at work: "
        + ", ".join(f"`{name}` {own / largest.full.seconds / 10:.1f} %" for name, (_, _, own) in by_function)
        + " of a core.",
        "",
        "Flat: "
        + ("yes" if not [each for each in missed if "costs" in each] else "; ".join(m for m in missed if "costs" in m))
        + f" (up to {FLAT:+.0%} from {several[0].hosts if several else 1} to {largest.hosts} hosts): {', '.join(grown)}.",
        "",
        NOTES.format(
            processes=min(4, largest.hosts),
            order=size.order_seconds,
            rate=size.orders_each_second,
            warm=size.warm,
            precedence=PRECEDENCE if precedence else NO_PRECEDENCE,
        ),
    ]
    return "\n".join(lines), missed
