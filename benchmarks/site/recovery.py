"""What a killed Chromium costs: one of two, under full work, with twenty sessions.

Invariant: what is reported is read from the attempts and the ledger afterwards, not from what the worker says of itself.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from benchmarks.queue.wire import ChildFailed
from benchmarks.site.mixture import Mixture
from benchmarks.site.sides import Ours, Stage, open_ours
from registre.job import Order

SESSIONS = 20
WARM = 1
"""Documents each session has fetched before the first kill."""
AFTERWARDS_SECONDS = 3.0
"""How long the work goes on after the killed cell is back, so that a late failure of the other one is seen too."""
PATIENCE_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.1
GOOD_ENDINGS = ("secured", "completed")


@dataclass(frozen=True, slots=True)
class Kill:
    """Seconds from the kill to the first document, and to the first of each session, of the killed cell; what it cost."""

    back: float
    all_back: float
    longest_gap: float
    """Between two documents of the whole other cell."""
    interrupted: int
    """Attempts of the killed cell that ended without a document."""
    in_doubt: int
    """Of those, orders that may be billed and wait for a person."""
    others_failed: int


def measure(stage: Stage, mixture: Mixture, kills: int, latency_ms: int) -> list[Kill]:
    """Kill one cell's Chromium, then the other's, and so on, each time after all is well again."""
    stage.twin.wait_before_each_page(latency_ms)
    found = []
    with open_ours(stage, SESSIONS) as ours:
        ours.work(mixture.draw(SESSIONS * WARM))
        wanted = SESSIONS * 10 * (kills + 1)
        stage.store.queue.submit([Order(wish.request, client="bench") for wish in mixture.draw(wanted)])
        try:
            for number in range(kills):
                _until_every_session_has_delivered(stage, time.time())
                found.append(_kill(stage, ours, number))
                sys.stderr.write(f"bench: killed: back after {found[-1].back:.1f} s, all {found[-1].all_back:.1f} s\n")
        finally:
            stage.connection.execute(
                "update extraction_queue set is_due = false, next_attempt_at = 'infinity' where status = 'En attente'"
            )
    return found


def _kill(stage: Stage, ours: Ours, number: int) -> Kill:
    cells = ours.child.ask("cells")["cells"]
    if len(cells) != 2 or any(len(cell["accounts"]) != SESSIONS // 2 for cell in cells):
        raise ChildFailed(f"the sessions do not live in two equal cells: {cells}")
    killed, other = cells[number % 2], cells[1 - number % 2]
    at = time.time()
    os.kill(killed["browser"], signal.SIGKILL)
    firsts = _until_all_have_delivered(stage, killed["accounts"], at)
    time.sleep(AFTERWARDS_SECONDS)
    ended = stage.read(
        "select t.account_id, t.ending, q.error_kind from registre.attempts t "
        "join extraction_queue q on q.id = t.job_id where t.ended_at >= to_timestamp(%(at)s)",
        at=at,
    )
    bad = [row for row in ended if row["ending"] not in GOOD_ENDINGS]
    mine = [row for row in bad if row["account_id"] in killed["accounts"]]
    return Kill(
        back=min(firsts.values()) - at,
        all_back=max(firsts.values()) - at,
        longest_gap=_longest_gap(stage, other["accounts"], at),
        interrupted=len(mine),
        in_doubt=sum(row["error_kind"] == "ambiguous_purchase" for row in mine),
        others_failed=len(bad) - len(mine),
    )


def _until_every_session_has_delivered(stage: Stage, since: float) -> None:
    accounts = [str(account.id) for account in stage.store.accounts.all()]
    _until_all_have_delivered(stage, accounts, since)


def _until_all_have_delivered(stage: Stage, accounts: Sequence[str], at: float) -> dict[str, float]:
    """When each account's first document after `at` was delivered; only documents begun after it count."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        rows = stage.read(
            "select p.account_id, min(p.delivered_at) as first from registre.purchases p "
            "join registre.attempts t on t.job_id = p.job_id and t.token = p.token "
            "where t.started_at >= to_timestamp(%(at)s) and p.delivered_at is not null "
            "and p.account_id = any(%(accounts)s) group by 1",
            at=at,
            accounts=list(accounts),
        )
        if len(rows) == len(accounts):
            return {row["account_id"]: row["first"].timestamp() for row in rows}
        if time.monotonic() > deadline:
            raise ChildFailed(f"{len(accounts) - len(rows)} of {len(accounts)} sessions did not come back")
        time.sleep(LOOK_EVERY_SECONDS)


def _longest_gap(stage: Stage, accounts: Sequence[str], at: float) -> float:
    rows: list[dict[str, Any]] = stage.read(
        "select delivered_at from registre.purchases where delivered_at >= to_timestamp(%(at)s) "
        "and account_id = any(%(accounts)s) order by 1",
        at=at,
        accounts=list(accounts),
    )
    times = [at, *(row["delivered_at"].timestamp() for row in rows)]
    return max((later - earlier for earlier, later in pairwise(times)), default=0.0)
