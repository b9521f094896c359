"""The queue and the ledger against a model: any order of calls, by owners alive, late and dead, on a real PostgreSQL.

The model says what each call must do; after each, every row must be what the model holds.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from registre.database.gateway import DirectGateway
from registre.errors import LeaseLost, Refused, RegistreError
from tests.desk import BACKOFF, FEE, HOST_GONE, VISIBILITY, Desk, Held

WAITING, RUNNING, DONE, FAILED = "En attente", "En traitement", "Complété", "Erreur"
OPEN = {"intended", "charged", "secured"}
SEATS = 3
EXAMPLES = int(os.environ.get("REGISTRE_MACHINE_EXAMPLES", "40"))


@dataclass(slots=True)
class Job:
    """What the model knows of a row."""

    number: int
    max_attempts: int
    due: datetime
    status: str = WAITING
    kind: str | None = None
    attempts: int = 0
    token: int = 0
    until: datetime | None = None
    account: str | None = None
    purchase: str | None = None
    cancelled: bool = False
    rescues: int = 0


@dataclass(slots=True)
class Purchase:
    """What the model knows of a line."""

    job: str
    token: int
    state: str = "intended"
    charged: bool = False
    secured_at: datetime | None = None


class QueueMachine(RuleBasedStateMachine):
    """Each rule is one call; a token may be any that was ever given."""

    fresh_gateway: Callable[[], DirectGateway]
    dsn: str

    def __init__(self) -> None:
        super().__init__()
        self.gateway = type(self).fresh_gateway()
        self.desk = Desk(self.gateway, self.dsn)
        self.seats = self.desk.seats(SEATS)
        self.jobs: dict[str, Job] = {}
        self.purchases: dict[str, Purchase] = {}
        self.given: list[Held] = []

    def teardown(self) -> None:
        self.desk.close()
        self.gateway.close()

    # -- what the model says

    def open(self, job: Job) -> bool:
        return job.purchase is not None and self.purchases[job.purchase].state in OPEN

    def holds(self, held: Held) -> bool:
        job = self.jobs[held.id]
        return job.status == RUNNING and job.token == held.token

    def close(self, job: Job, kind: str | None) -> None:
        job.status, job.kind, job.until = (FAILED if kind else DONE), kind, None

    def wait(self, job: Job, seconds: float) -> None:
        if job.cancelled:
            self.close(job, "cancelled")
        else:
            job.status, job.kind, job.until, job.account = WAITING, None, None, None
            job.due = self.desk.now + timedelta(seconds=seconds)

    def owned(self, purchase: str, held: Held, states: set[str]) -> bool:
        line, job = self.purchases[purchase], self.jobs[self.purchases[purchase].job]
        return line.token == held.token == job.token and line.state in states and job.purchase == purchase

    def attempt(self, call: Callable[[], object], expected: type[RegistreError] | None) -> None:
        """The call does its work, or is refused as the model says."""
        if expected is None:
            call()
        else:
            with pytest.raises(expected):
                call()

    # -- orders, leases and time

    @rule(number=st.integers(2_784_195, 2_784_197), max_attempts=st.integers(1, 2))
    def order(self, number: int, max_attempts: int) -> None:
        [job] = self.desk.order(number, max_attempts=max_attempts)
        self.jobs[job] = Job(number, max_attempts, self.desk.now)

    @rule()
    def lease(self) -> None:
        now = self.desk.now
        busy = {j.account for j in self.jobs.values() if j.status == RUNNING and j.until is not None and j.until > now}
        free = {seat.account_id for seat in self.seats} - busy
        due = {key for key, job in self.jobs.items() if job.status == WAITING and job.due <= now}
        leased = self.desk.lease(self.seats)
        assert len(leased) == min(len(free), len(due))
        assert {held.id for held in leased} <= due
        assert {held.account for held in leased} <= free
        assert max(Counter(held.account for held in leased).values(), default=1) == 1
        for held in leased:
            job = self.jobs[held.id]
            assert held.token == job.token + 1
            job.status, job.token, job.account = RUNNING, held.token, held.account
            job.until = now + timedelta(seconds=VISIBILITY)
            job.attempts += 1
            assert held.attempt == job.attempts <= job.max_attempts
        self.given += leased

    @rule(seconds=st.sampled_from([5.0, 30.0, VISIBILITY + 1, HOST_GONE + 1]))
    def time_passes(self, seconds: float) -> None:
        self.desk.pass_time(seconds)

    @rule()
    def renew(self) -> None:
        now = self.desk.now
        alive = {
            held.id
            for held in self.given
            if self.holds(held) and (until := self.jobs[held.id].until) is not None and until > now
        }
        assert {str(row["id"]) for row in self.desk.renew(self.given)} == alive
        for key in alive:
            self.jobs[key].until = now + timedelta(seconds=VISIBILITY)

    @rule()
    def reclaim(self) -> None:
        now = self.desk.now
        for job in self.jobs.values():
            if job.status == RUNNING and job.until is not None and job.until <= now:
                line = self.purchases.get(job.purchase or "")
                if line is not None and line.state in ("intended", "charged"):
                    line.state = "ambiguous"
                    self.close(job, "ambiguous_purchase")
                elif line is not None and line.state == "secured":
                    job.until = None
                else:
                    job.rescues += 1
                    if job.attempts >= job.max_attempts:
                        self.close(job, "attempts_exhausted")
                    else:
                        self.wait(job, BACKOFF)
            if job.status == RUNNING and job.until is None and job.purchase is not None:
                secured_at = self.purchases[job.purchase].secured_at
                assert secured_at is not None
                if secured_at <= now - timedelta(seconds=HOST_GONE):
                    self.close(job, "secured_elsewhere")
        self.desk.reclaim()

    # -- ends of a lease

    def end(self, held: Held, call: Callable[[Held], None]) -> Job | None:
        """The job, if the model lets the call end its lease."""
        job = self.jobs[held.id]
        expected = None if self.holds(held) and not self.open(job) else Refused if self.holds(held) else LeaseLost
        self.attempt(lambda: call(held), expected)
        return job if expected is None else None

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if job := self.end(data.draw(st.sampled_from(self.given)), self.desk.release):
            job.attempts -= not job.cancelled
            self.wait(job, 0)

    @precondition(lambda self: self.given)
    @rule(data=st.data(), rescued=st.booleans())
    def snooze(self, data: st.DataObject, *, rescued: bool) -> None:
        held = data.draw(st.sampled_from(self.given))
        if job := self.end(held, lambda h: self.desk.snooze(h, delay=20, rescued=rescued)):
            if rescued and job.rescues >= 10:
                self.close(job, "attempts_exhausted")
                return
            job.rescues += rescued
            job.attempts -= not job.cancelled
            self.wait(job, 20)

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        if job := self.end(data.draw(st.sampled_from(self.given)), self.desk.retry):
            if job.attempts >= job.max_attempts:
                self.close(job, "attempts_exhausted")
            else:
                self.wait(job, 10)

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        if job := self.end(data.draw(st.sampled_from(self.given)), self.desk.fail):
            self.close(job, "not_found")

    # -- money

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def intend(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self.given))
        job = self.jobs[held.id]
        if not self.holds(held) or job.until is None or job.until <= self.desk.now:
            self.attempt(lambda: self.desk.intend(held), LeaseLost)
            return
        if self.open(job) and not job.cancelled:
            self.attempt(lambda: self.desk.intend(held), Refused)
            return
        rivals = [p for p in self.purchases.values() if self.jobs[p.job].number == job.number and p.state in OPEN]
        answer = self.desk.intend(held)
        if job.cancelled:
            assert answer == "cancelled"
        elif rivals:
            assert answer == "in_progress"
        else:
            self.purchases[answer] = Purchase(held.id, held.token)
            job.purchase = answer

    @precondition(lambda self: self.purchases)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        purchase, held = self.draw(data)
        mine = self.owned(purchase, held, {"intended"})
        self.attempt(lambda: self.desk.void(purchase, held), None if mine else LeaseLost)
        if mine:
            self.purchases[purchase].state = "void"
            self.jobs[self.purchases[purchase].job].purchase = None

    @precondition(lambda self: self.purchases)
    @rule(data=st.data())
    def charge(self, data: st.DataObject) -> None:
        purchase, held = self.draw(data)
        mine = self.owned(purchase, held, {"intended", "charged"})
        self.attempt(lambda: self.desk.charge(purchase, held), None if mine else LeaseLost)
        if mine:
            self.purchases[purchase].state = "charged"
            self.purchases[purchase].charged = True

    @precondition(lambda self: self.purchases)
    @rule(data=st.data())
    def mark_ambiguous(self, data: st.DataObject) -> None:
        purchase, held = self.draw(data)
        mine = self.owned(purchase, held, {"intended", "charged"})
        self.attempt(lambda: self.desk.mark_ambiguous(purchase, held), None if mine else LeaseLost)
        if mine:
            self.purchases[purchase].state = "ambiguous"
            self.close(self.jobs[self.purchases[purchase].job], "ambiguous_purchase")

    def draw(self, data: st.DataObject) -> tuple[str, Held]:
        """A purchase, and its own lease or, as likely, any other."""
        purchase = data.draw(st.sampled_from(list(self.purchases)))
        line = self.purchases[purchase]
        own = [held for held in self.given if (held.id, held.token) == (line.job, line.token)]
        return purchase, data.draw(st.sampled_from(own + self.given[: len(own)]))

    @precondition(lambda self: self.purchases)
    @rule(data=st.data())
    def secure(self, data: st.DataObject) -> None:
        purchase = data.draw(st.sampled_from(list(self.purchases)))
        line = self.purchases[purchase]
        self.attempt(lambda: self.desk.secure(purchase), Refused if line.state == "void" else None)
        if line.state in ("intended", "charged", "ambiguous"):
            line.state, line.charged, line.secured_at = "secured", True, self.desk.now
            job = self.jobs[line.job]
            if job.purchase == purchase:
                job.until = None

    @precondition(lambda self: self.purchases)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        purchase = data.draw(st.sampled_from(list(self.purchases)))
        line = self.purchases[purchase]
        if line.state not in ("secured", "delivered"):
            self.attempt(lambda: self.desk.deliver(purchase), Refused)
            return
        outcome = self.desk.deliver(purchase)
        job = self.jobs[line.job]
        if line.state == "delivered":
            assert outcome == "repeated"
            return
        line.state = "delivered"
        assert outcome == "completed", "nothing but its delivery ends a job whose document is secured"
        self.close(job, None)

    @precondition(lambda self: self.purchases)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        purchase = data.draw(st.sampled_from(list(self.purchases)))
        line = self.purchases[purchase]
        self.desk.lose(purchase)
        if line.state == "secured":
            line.state = "ambiguous"
            self.close(self.jobs[line.job], "ambiguous_purchase")

    # -- a person

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(list(self.jobs)))
        job = self.jobs[key]
        allowed = job.status in (WAITING, RUNNING) and not self.open(job)
        self.attempt(lambda: self.desk.cancel(key), None if allowed else Refused)
        if allowed and job.status == WAITING:
            self.close(job, "cancelled")
        elif allowed:
            job.cancelled = True

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(list(self.jobs)))
        job = self.jobs[key]
        allowed = job.status == FAILED and job.kind not in ("ambiguous_purchase", "secured_elsewhere")
        self.attempt(lambda: self.desk.requeue(key), None if allowed else Refused)
        if allowed:
            job.status, job.kind, job.attempts, job.rescues, job.cancelled = WAITING, None, 0, 0, False
            job.due = self.desk.now

    # -- what must always be true

    @invariant()
    def rows_are_what_the_model_says(self) -> None:
        rows = self.desk.sql(
            "select id::text, status, error_kind, attemtps, lease_token, purchase_id::text, rescues, cost_cents "
            "from extraction_queue"
        )
        assert {tuple(row.values()) for row in rows} == {
            (key, j.status, j.kind, j.attempts, j.token, j.purchase, j.rescues, self.cost(key))
            for key, j in self.jobs.items()
        }
        lines = self.desk.sql("select id::text, state, charged_at is not null from registre.purchases")
        assert {tuple(line.values()) for line in lines} == {
            (key, line.state, line.charged) for key, line in self.purchases.items()
        }

    def cost(self, key: str) -> int:
        return FEE * sum(line.charged for line in self.purchases.values() if line.job == key)

    @invariant()
    def at_most_one_purchase_of_a_document_is_under_way(self) -> None:
        rows = self.desk.sql(
            "select identity_key from registre.purchases where state in ('intended', 'charged') group by 1 having count(*) > 1"
        )
        assert rows == []

    @invariant()
    def at_most_one_live_lease_per_account_and_each_attempt_closed_but_it(self) -> None:
        rows = self.desk.sql(
            "select account_id from extraction_queue where status = 'En traitement' and lease_until > %s "
            "group by 1 having count(*) > 1",
            self.desk.now,
        )
        assert rows == []
        left = self.desk.sql(
            "select t.job_id from registre.attempts t join extraction_queue q on q.id = t.job_id "
            "where t.ended_at is null and (q.status <> 'En traitement' or q.lease_token <> t.token)"
        )
        assert left == []


@pytest.fixture
def machine(current_dsn: str, reset: Callable[[], None]) -> type[QueueMachine]:
    def fresh_gateway() -> DirectGateway:
        reset()
        return DirectGateway(current_dsn)

    class Machine(QueueMachine):
        dsn = current_dsn

    Machine.fresh_gateway = staticmethod(fresh_gateway)
    return Machine


def test_the_queue_and_the_ledger_do_what_the_model_says(machine: type[QueueMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=40,
            deadline=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
