"""The budgets against a model that adds up the ledger: fees by date, caps that come and go, several clients and batches.

What a budget has used is the sum of the fees of its purchases that are not void, by the calendar of Toronto.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from registre.batch import BatchId, NewBatch
from registre.budget import CostBy, Period
from registre.document import Source
from registre.errors import ErrorKind, NotFound, Refused
from registre.gates import Gate, Scope
from registre.job import JobFilter, JobId, Lease, Order, Settlement, Status
from registre.ledger import Delivery, PurchaseId, PurchaseState, SecuredFile, Verdict
from tests.property.machines.ports import STORES, run, store_factory
from tests.property.machines.sums import CLIENTS, PERIODS, Key, SummingMachine, day_of
from tests.property.machines.world import (
    BACKOFF,
    FAILED,
    HOST_GONE,
    LEGACY,
    RULES,
    RUNNING,
    WAITING,
    PortMachine,
    likely,
    lot,
)

SOURCES = [Source.INDEX, Source.PLAN]
CAPS = st.sampled_from([None, None, 0, 250, 400, 700, 1000])
APPROVAL_ABOVE = 500


class BudgetMachine(SummingMachine):
    """Each rule is one call; every document is ordered once, so that nothing but money holds an order back."""

    rules_of_the_house = replace(RULES, approval_above_cents=APPROVAL_ABOVE)

    # -- fees, caps, days

    @rule(
        source=st.sampled_from(["*", *SOURCES]),
        ahead=st.integers(-1, 2),
        cents=st.sampled_from([100, 150, 175, 400]),
    )
    def set_fee(self, source: str, ahead: int, cents: int) -> None:
        valid_from = day_of(self.clock.now) + timedelta(days=ahead)
        self.store.treasury.set_fee(source, valid_from, cents, "a test")
        self.fees[source, valid_from] = cents
        assert {(fee.source, fee.valid_from): fee.cents for fee in self.store.treasury.fees()} == self.fees

    @rule(
        who=st.sampled_from(
            [
                (Scope.SITE, ""),
                *((Scope.CLIENT, name) for name in ("*", *CLIENTS)),
                *((Scope.ACCOUNT, name) for name in ("*", "account-0", "account-1", "account-2")),
            ]
        ),
        period=st.sampled_from(PERIODS),
        cap=CAPS,
    )
    def set_budget(self, who: tuple[Scope, str], period: Period, cap: int | None) -> None:
        if cap is None and (*who, period) not in self.caps:
            with pytest.raises(NotFound):
                self.store.treasury.set_budget(*who, period, None, "a test")
            return
        self.store.treasury.set_budget(*who, period, cap, "a test")
        self.cap_is((*who, period), cap)

    def cap_is(self, key: Key, cap: int | None) -> None:
        if cap is None:
            self.caps.pop(key, None)
        else:
            self.caps[key] = cap
        # Use is never undone by a new cap: what is above it now may stay so until its period ends.
        self.above = self.over_cap()

    @rule(hours=st.sampled_from([0.002, 0.01, 10, 14, 24, 24 * 29]))
    def time_passes(self, hours: float) -> None:
        self.clock.pass_time(hours * 3600)

    # -- orders

    @precondition(lambda self: self.is_roomy())
    @rule(client=st.sampled_from(list(CLIENTS)), source=st.sampled_from(SOURCES))
    def order(self, client: str, source: Source) -> None:
        self.submit([Order(lot(next(self.numbers), source), client, CLIENTS[client])])

    @precondition(lambda self: self.is_roomy())
    @rule(
        client=st.sampled_from(list(CLIENTS)),
        sources=st.lists(st.sampled_from(SOURCES), min_size=1, max_size=4),
        cap=CAPS,
    )
    def order_batch(self, client: str, sources: list[Source], cap: int | None) -> None:
        orders = [Order(lot(next(self.numbers), source), client, CLIENTS[client]) for source in sources]
        price = sum(self.fee(source) for source in sources)
        quote = self.store.batches.quote([*orders, orders[0]])
        assert quote.owned == (None,) * len(quote.owned)
        assert quote.repeated == (*(False for _ in orders), True)
        assert (quote.price_cents, quote.needs_approval) == (price, price > APPROVAL_ABOVE)
        batch = self.store.batches.submit(NewBatch("lots", client, "a test", cap), orders)
        assert (batch.total, batch.counts[WAITING]) == (len(orders), len(orders))
        assert (batch.price_cents, batch.cap_cents) == (price, cap)
        self.batches[batch.id] = not quote.needs_approval
        if cap is not None:
            self.cap_is((Scope.BATCH, batch.id, Period.TOTAL), cap)
        jobs = self.store.views.page(JobFilter(batch_id=batch.id)).jobs
        assert {job.request for job in jobs} == {order.request for order in orders}

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def approve(self, data: st.DataObject) -> None:
        batch = data.draw(st.sampled_from(list(self.batches)))
        self.attempt(lambda: self.store.batches.approve(batch, "a test"), Refused if self.batches[batch] else None)
        self.batches[batch] = True
        assert self.store.batches.get(batch).approved_at is not None or self.batches[batch]

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def cancel_batch(self, data: st.DataObject) -> None:
        batch = data.draw(st.sampled_from(list(self.batches)))
        jobs = [job for job in self.jobs.values() if job.batch_id == batch]
        waiting = [job for job in jobs if job.status is WAITING]
        stopping = [job for job in jobs if job.status is RUNNING and self.own_state(job.id) is None]
        self.arrows.add("cancel_job")
        assert self.store.batches.cancel(batch, "a test") == len(waiting) + len(stopping)
        self.asked_to_stop |= {job.id for job in stopping}
        for job in waiting:
            row = self.store.views.job(job.id)
            assert (row.status, row.error_kind) == (FAILED, ErrorKind.CANCELLED)

    @rule()
    def ask_for_no_batch(self) -> None:
        with pytest.raises(NotFound):
            self.store.batches.get(BatchId("00000000-0000-0000-0000-000000000000"))

    # -- purchases

    @precondition(lambda self: self.is_roomy())
    @rule(client=st.sampled_from(list(CLIENTS)), source=st.sampled_from(SOURCES), data=st.data())
    def start(self, client: str, source: Source, data: st.DataObject) -> None:
        """From order to intent at one go, since money comes after."""
        self.order(client, source)
        self.what_must_always_be_true()
        for host in self.hosts:
            self.lease_jobs(host)
            self.what_must_always_be_true()
        if self.may_buy():
            self.intend(data)

    @precondition(lambda self: any(map(self.has_work, self.hosts)))
    @rule(host=st.sampled_from(list(PortMachine.hosts)))
    def lease_jobs(self, host: str) -> None:
        """An exhausted budget holds back whom it is about, and nobody else."""
        cents = self.smallest_fee()
        owner = self.owner(host)
        closed = {(c.scope, c.name) for c in self.store.gates.closures() if c.gate is Gate.BUDGET}
        shut = {
            (scope, name) for scope, name, period in self.every_key() if not self.has_room((scope, name, period), cents)
        }
        # the gate of a batch that has nothing left to start is not told
        starting = {job.batch_id for job in self.store.views.jobs(Status.WAITING, 1000)}
        assert {(scope, name) for scope, name in closed if name != "*"} >= {
            (scope, name)
            for scope, name in shut
            if any((scope, name, p) in self.caps for p in Period) and (scope is not Scope.BATCH or name in starting)
        }
        due = [
            job
            for job in self.due()
            if (Scope.CLIENT, job.client) not in shut
            and (Scope.BATCH, job.batch_id) not in shut
            and (job.batch_id is None or self.batches[BatchId(job.batch_id)])
        ]
        busy = {
            self.latest[job_id].account_id for job_id, until in self.until.items() if until and until > self.clock.now
        }
        seats = [
            seat
            for seat in self.seats[owner]
            if seat.account_id not in busy and (Scope.ACCOUNT, seat.username) not in shut
        ]
        leases = self.lease(owner)
        assert len(leases) == (0 if (Scope.SITE, "") in shut else min(len(due), len(seats)))
        assert {lease.job_id for lease in leases} <= {job.id for job in due}
        assert {lease.account_id for lease in leases} <= {seat.account_id for seat in seats}

    def may_buy(self) -> list[Lease]:
        return [lease for lease in self.running() if self.alive(lease) and self.own_state(lease.job_id) is None]

    @precondition(lambda self: self.may_buy())
    @rule(data=st.data())
    def intend(self, data: st.DataObject) -> None:
        lease = likely(data, self.may_buy(), [lease for lease in self.running() if self.alive(lease)])
        job, host = self.jobs[lease.job_id], lease.owner.split("/")[0]
        if self.own_state(job.id) is not None:
            with pytest.raises(Refused):
                self.store.ledger.intend(lease, host)
            return
        self.tick()
        fee = self.fee(job.request.source)
        keys = list(self.budgets_of(job, self.names[lease.account_id]))
        intent = self.store.ledger.intend(lease, host)
        if job.id in self.asked_to_stop:
            assert intent.verdict is Verdict.CANCELLED
        elif not all(self.has_room(key, fee) for key in keys):
            assert intent.verdict is Verdict.OVER_BUDGET
            assert intent.purchase_id is None
            assert intent.reason
        else:
            assert intent.verdict is Verdict.GRANTED
            assert intent.purchase_id is not None
            [line] = [line for line in self.store.ledger.lines(job.id) if line.id == intent.purchase_id]
            assert line.fee_cents == fee
            self.present[job.id] = intent.purchase_id
            self.leases[intent.purchase_id] = lease

    def draw(self, data: st.DataObject) -> tuple[PurchaseId, Lease, JobId]:
        live = [purchase for job_id, purchase in self.present.items() if self.holds(self.leases[purchase])]
        purchase = data.draw(st.sampled_from(live))
        return purchase, self.leases[purchase], self.leases[purchase].job_id

    @precondition(lambda self: self.buying())
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        purchase, lease, job_id = self.draw(data)
        if self.lines[purchase].state is PurchaseState.INTENDED:
            self.store.ledger.void(purchase, lease, "Aucun résultat")
            del self.present[job_id]

    @precondition(lambda self: self.buying())
    @rule(data=st.data())
    def charge(self, data: st.DataObject) -> None:
        purchase, lease, _ = self.draw(data)
        self.store.ledger.charge(purchase, lease, [])

    @precondition(lambda self: self.buying())
    @rule(data=st.data())
    def mark_ambiguous(self, data: st.DataObject) -> None:
        purchase, lease, _ = self.draw(data)
        self.arrows.add("mark_ambiguous")
        self.store.ledger.mark_ambiguous(purchase, lease, "the browser broke")

    @precondition(lambda self: self.buying())
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        purchase, _, job_id = self.draw(data)
        self.arrows.add("deliver")
        self.store.ledger.secure(purchase, SecuredFile("a" * 64, 1000, 2))
        delivery = Delivery(purchase, "a" * 64, "index", f"{purchase}.pdf")
        assert self.store.ledger.deliver(delivery) == "completed"
        del self.present[job_id]

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.running()))
        self.arrows.add("release_job")
        refused = Refused if self.own_state(lease.job_id) is not None else None
        self.attempt(lambda: self.store.queue.release(lease, "drained"), refused)

    @precondition(lambda self: self.has_expired())
    @rule()
    def reclaim(self) -> None:
        self.arrows.add("reclaim")
        self.store.queue.reclaim(BACKOFF, HOST_GONE, LEGACY)

    def buying(self) -> bool:
        return any(self.holds(self.leases[purchase]) for purchase in self.present.values())

    @precondition(lambda self: self.unsettled())
    @rule(data=st.data(), decision=st.sampled_from(Settlement), billed=st.booleans())
    def settle(self, data: st.DataObject, decision: Settlement, *, billed: bool) -> None:
        job_id = data.draw(st.sampled_from(self.unsettled()))
        self.arrows.add("settle")
        self.store.queue.settle(job_id, decision, "a test", billed=billed)
        del self.present[job_id]

    def unsettled(self) -> list[JobId]:
        return [job.id for job in self.jobs.values() if job.error_kind == ErrorKind.AMBIGUOUS_PURCHASE]

    # -- what must always be true of money

    def what_is_true_here(self) -> None:
        self.every_budget_has_used_what_its_purchases_cost()
        self.the_report_adds_up()

    def every_budget_has_used_what_its_purchases_cost(self) -> None:
        budgets = {(b.scope, b.name, b.period): b for b in self.store.treasury.budgets()}
        assert {key: budget.cap_cents for key, budget in budgets.items()} == self.caps
        for (scope, name, period), budget in budgets.items():
            if name != "*":
                assert budget.used_cents == self.used(scope, name, period)
        assert self.over_cap() <= self.above, "nothing but a lowered cap is ever exceeded"

    def the_report_adds_up(self) -> None:
        long_ago, far_away = date(2000, 1, 1), date(2100, 1, 1)
        lines = self.store.treasury.costs(long_ago, far_away, CostBy.CLIENT)
        for client in CLIENTS:
            told = [
                line.documents_cents + line.ambiguous_cents + line.reserved_cents
                for line in lines
                if line.key == client
            ]
            assert sum(told) == sum(
                line.fee_cents
                for line in self.lines.values()
                if line.state is not PurchaseState.VOID and self.jobs[JobId(line.job_id)].client == client
            )
        for batch_id in self.batches:
            batch = self.store.batches.get(batch_id)
            assert batch.spent_cents + batch.reserved_cents == self.used(Scope.BATCH, batch_id, Period.TOTAL)
            assert batch.total == sum(job.batch_id == batch_id for job in self.jobs.values())


@pytest.mark.parametrize("kind", STORES)
def test_the_budgets_do_what_the_model_says(kind: str, request: pytest.FixtureRequest) -> None:
    run(BudgetMachine, kind, store_factory(kind, request))
