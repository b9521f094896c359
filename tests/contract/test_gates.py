"""Gates: what they hold back, and that `why` gives the reason."""

from __future__ import annotations

import pytest

from registre.job import JobId
from registre.wiring import Store
from tests.desk import Desk

CLOSE = {
    "hours": "insert into registre.service_hours select d, '00:00', '00:01' from generate_series(1, 7) d; "
    "insert into registre.holidays select current_date + d, 'never' from generate_series(-2, 40) d",
    "breaker": "insert into registre.breaker (failures, trips, last_failure_at, reason, open_until) "
    "values (3, 1, now(), '503', now() + interval '1 hour')",
    "frozen": "insert into registre.frozen values ('index', 'no form', now())",
    "pause of the site": "insert into registre.pauses values ('site', '', 'marie', 'audit', now())",
    "pause of the client": "insert into registre.pauses values ('client', '', 'marie', 'unpaid', now())",
    "pause of the source": "insert into registre.pauses values ('source', 'index', 'marie', 'form', now())",
    "pause of the account": "insert into registre.pauses select 'account', username, 'marie', 'test', now() from worker_accounts",
    "budget of the site": "insert into registre.budgets values ('site', '', 'day', 149)",
    "budget of each client": "insert into registre.budgets values ('client', '', 'month', 149)",
}
REASON = {
    "hours": "no opening",
    "breaker": "failing (503)",
    "frozen": "no form",
    "pause of the site": "everything is paused by marie: audit",
    "pause of the client": "paused by marie: unpaid",
    "pause of the source": "source index is paused by marie: form",
    "pause of the account": "is paused by marie: test",
    "budget of the site": "the budget of the day is used up",
    "budget of each client": "the budget of client (no name) of the month is used up",
}


@pytest.mark.parametrize("gate", CLOSE)
def test_a_closed_gate_holds_back_what_it_should_and_why_says_so(desk: Desk, store: Store, gate: str) -> None:
    [job] = desk.order(1000001)
    seats = desk.seats(1)
    assert "next in line" in store.gates.why(JobId(job))
    desk.sql(CLOSE[gate])
    assert REASON[gate] in store.gates.why(JobId(job))
    assert REASON[gate] in store.gates.why()
    assert desk.lease(seats) == []
    assert desk.job(job)["attemtps"] == 0
