"""The ledger against a model: orders that compete for few documents, owners that die, hosts that go and return.

The model says each verdict, each refusal and what becomes of the job; a document is never bought twice on a guess.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from registre.document import DocumentRequest, Source
from registre.errors import ErrorKind, LeaseLost, Refused, RegistreError
from registre.job import JobId, Order, Settlement
from registre.ledger import Delivery, PurchaseId, PurchaseState, SecuredFile, Verdict
from tests.property.machines.money import AMBIGUOUS, DELIVERED, NEVER_BLINDLY, SECURED, VOID, MoneyMachine
from tests.property.machines.ports import STORES, run, store_factory
from tests.property.machines.world import (
    BACKED,
    BACKOFF,
    DONE,
    FAILED,
    HOST_GONE,
    LEGACY,
    OPEN,
    RUNNING,
    UNDER_WAY,
    VISIBILITY,
    WAITING,
    PortMachine,
    likely,
    lot,
)

FILES = [SecuredFile(letter * 64, 1000, 2) for letter in "ab"]
SELDOM = st.sampled_from([False, False, True])
DOCUMENTS = [
    lot(0),
    replace(lot(0), number="2 784 195"),  # the same document, spelled otherwise
    lot(1),
    lot(2),
    DocumentRequest(Source.ACTE, "25616321", "Montréal", acte_type="Acte"),
]


class LedgerMachine(MoneyMachine):
    """Each rule is one call; a lease and a purchase may be any that were ever given."""

    @initialize(rebuys=st.sampled_from([0, 0, 1]))
    def rule_of_the_day(self, rebuys: int) -> None:
        self.rebuys_per_day = rebuys
        self.store.gates.set_rule("rebuys_per_day", rebuys, "a test")

    # -- orders, leases and time

    @precondition(lambda self: self.is_roomy())
    @rule(
        document=st.sampled_from(DOCUMENTS), fresh=st.sampled_from([False, False, True]), max_attempts=st.integers(1, 2)
    )
    def order(self, document: DocumentRequest, max_attempts: int, *, fresh: bool) -> None:
        [job_id] = self.submit([Order(document, max_attempts=max_attempts, fresh=fresh)])
        current = None if fresh else self.owned(document)
        self.is_served(job_id, current) if current else self.waits(job_id, 0)

    @precondition(lambda self: self.is_roomy())
    @rule(document=st.sampled_from(DOCUMENTS), data=st.data(), max_attempts=st.integers(1, 2))
    def start(self, document: DocumentRequest, data: st.DataObject, max_attempts: int) -> None:
        """From order to intent at one go, since what matters comes after."""
        self.order(document, max_attempts, fresh=False)
        self.what_must_always_be_true()
        for host in self.hosts:
            self.lease_jobs(host)
            self.what_must_always_be_true()
        if self.given:
            self.intend(data)
            self.what_must_always_be_true()
        bought = self.under_way_and_held() if data.draw(SELDOM) else []
        for purchase in bought[-1:]:
            self.secured(purchase, FILES[0])

    @precondition(lambda self: self.in_state(DELIVERED))
    @rule(data=st.data())
    def order_again(self, data: st.DataObject) -> None:
        """What was bought, while it is current or when it no longer is."""
        purchase = data.draw(st.sampled_from(self.in_state(DELIVERED)))
        self.clock.pass_time(data.draw(st.sampled_from([1.0, 90_000.0])))
        self.order(self.orders[JobId(self.lines[purchase].job_id)].request, 2, fresh=False)

    @precondition(lambda self: any(map(self.has_work, self.hosts)))
    @rule(host=st.sampled_from(list(PortMachine.hosts)))
    def lease_jobs(self, host: str) -> None:
        self.tick()
        due, room = self.due(), self.free_seats(self.owner(host))
        running = {j.request.identity_key for j in self.jobs.values() if j.status is RUNNING}
        leases = self.lease(self.owner(host))
        for lease in leases:
            identity = lease.request.identity_key
            assert identity not in running, "a document ordered twice is bought by one order at a time"
            assert not self.rivals(lease.job_id)
            assert self.orders[lease.job_id].fresh or not self.owned(lease.request)
            running.add(identity)
        if len(leases) < room:
            for job in due:
                row = self.store.views.job(job.id)
                if row.status is DONE:
                    self.is_served(job.id, self.owned(job.request))
                elif row.status is WAITING:
                    assert row.next_attempt_at is not None
                    assert row.next_attempt_at > self.clock.now, "it was put off"
                    assert job.request.identity_key in running or self.rivals(job.id)

    @rule(seconds=st.sampled_from([1.0, 31.0, 31.0, 61.0, 601.0, 90_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.pass_time(seconds)

    @precondition(lambda self: self.running())
    @rule(host=st.sampled_from(list(PortMachine.hosts)))
    def renew(self, host: str) -> None:
        owner, now = self.owner(host), self.clock.now
        renewal = self.store.queue.renew(owner, self.given, [], VISIBILITY)
        kept = {lease.job_id for lease in self.given if lease.owner == owner and self.alive(lease)}
        self.seen[host] = now
        assert renewal.jobs >= {job_id for job_id in kept if not self.is_too_long(job_id)}
        assert renewal.jobs <= kept
        for job_id in renewal.jobs:
            self.until[job_id] = now + VISIBILITY

    @precondition(lambda self: any(self.own_state(job_id) is SECURED for job_id in self.until))
    @rule(data=st.data())
    def deliver_late(self, data: st.DataObject) -> None:
        """A document stays undelivered for long, on a host that lives, or does not."""
        for _ in range(2):
            self.clock.pass_time(400)
            for host in self.hosts:
                if data.draw(st.booleans()):
                    self.renew(host)
        if self.has_expired():
            self.reclaim()

    @precondition(lambda self: self.running())
    @rule(host=st.sampled_from(list(PortMachine.hosts)))
    def reboot(self, host: str) -> None:
        self.boot(host)

    @precondition(lambda self: self.has_expired())
    @rule()
    def reclaim(self) -> None:
        self.arrows.add("reclaim")
        now = self.clock.now
        lost = [job_id for job_id, until in self.until.items() if until is not None and until <= now]
        buying = [job_id for job_id in lost if self.own_state(job_id) in UNDER_WAY]
        if 0 < self.rebuys_left() < len(buying):
            return  # which of them is bought again is nobody's promise
        safe = {job_id for job_id in self.until if self.own_state(job_id) is SECURED}
        gone = {job_id for job_id in safe if self.is_gone(self.present[job_id])}
        outcomes = {job_id for job_id, _ in self.store.queue.reclaim(BACKOFF, HOST_GONE, LEGACY)}
        assert {*lost, *gone} >= outcomes >= {*lost, *gone} - safe | gone
        self.is_ambiguous(*buying)
        for job_id in safe:
            self.until[job_id] = None
            row = self.store.views.job(job_id)
            ended = (FAILED, ErrorKind.SECURED_ELSEWHERE)
            assert (row.status, row.error_kind) == (ended if job_id in gone else (RUNNING, None))
        for job_id in set(lost) - {*buying, *safe}:
            job, row = self.jobs[job_id], self.store.views.job(job_id)
            if job.attempts >= job.max_attempts:
                assert (row.status, row.error_kind) == (FAILED, ErrorKind.ATTEMPTS_EXHAUSTED)
            elif job_id in self.asked_to_stop:
                assert (row.status, row.error_kind) == (FAILED, ErrorKind.CANCELLED)
            else:
                assert (row.status, row.next_attempt_at) == (WAITING, now + BACKOFF)

    # -- an owner

    @precondition(lambda self: self.may_buy())
    @rule(data=st.data())
    def intend(self, data: st.DataObject) -> None:
        self.tick()
        lease = likely(data, self.may_buy(), self.given)
        job_id, host = lease.job_id, lease.owner.split("/")[0]
        stops = job_id in self.asked_to_stop
        expected: type[RegistreError] | None = None
        if not self.alive(lease):
            expected = LeaseLost
        elif self.own_state(job_id) in (*OPEN, AMBIGUOUS) and not stops:
            expected = Refused
        if expected is not None:
            self.attempt(lambda: self.store.ledger.intend(lease, host), expected)
            return
        self.arrows.add("reuse")
        current = None if self.orders[job_id].fresh else self.owned(lease.request)
        intent = self.store.ledger.intend(lease, host)
        if stops:
            assert intent.verdict is Verdict.CANCELLED
        elif current is not None:
            assert intent.verdict is Verdict.OWNED
            self.is_served(job_id, current)
        elif self.rivals(job_id):
            assert intent.verdict is Verdict.IN_PROGRESS
        else:
            assert (intent.verdict, intent.intended_at) == (Verdict.GRANTED, self.clock.now)
            assert intent.purchase_id is not None
            self.present[job_id] = intent.purchase_id
            self.leases[intent.purchase_id] = lease
            return
        assert intent.purchase_id is None
        assert intent.reason

    @precondition(lambda self: self.in_state(*UNDER_WAY))
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        purchase, lease = self.draw(data)
        refused = self.may_tell(purchase, lease, PurchaseState.INTENDED)
        self.attempt(lambda: self.store.ledger.void(purchase, lease, "Aucun résultat"), refused)
        if not refused:
            del self.present[JobId(self.lines[purchase].job_id)]

    @precondition(lambda self: self.in_state(*UNDER_WAY))
    @rule(data=st.data())
    def charge(self, data: st.DataObject) -> None:
        purchase, lease = self.draw(data)
        refused = self.may_tell(purchase, lease, *UNDER_WAY)
        self.attempt(lambda: self.store.ledger.charge(purchase, lease, ["Lot inactif"]), refused)
        if not refused:
            [line] = [line for line in self.store.ledger.lines() if line.id == purchase]
            assert line.state is PurchaseState.CHARGED

    @precondition(lambda self: self.in_state(*UNDER_WAY))
    @rule(data=st.data())
    def mark_ambiguous(self, data: st.DataObject) -> None:
        purchase, lease = self.draw(data)
        refused = self.may_tell(purchase, lease, *UNDER_WAY)
        self.clock.pass_time(data.draw(st.sampled_from([1.0, 90_000.0])))
        self.arrows.add("mark_ambiguous")
        self.attempt(lambda: self.store.ledger.mark_ambiguous(purchase, lease, "the browser broke"), refused)
        if not refused:
            self.is_ambiguous(JobId(self.lines[purchase].job_id))

    @precondition(lambda self: self.running())
    @rule(data=st.data(), end=st.sampled_from(["release", "snooze", "retry", "fail"]))
    def end(self, data: st.DataObject, end: str) -> None:
        lease = likely(data, self.running(), self.given)
        refused: type[RegistreError] | None = None if self.holds(lease) else LeaseLost
        if refused is None and self.own_state(lease.job_id) in OPEN:
            refused = Refused
        queue, minute = self.store.queue, timedelta(minutes=1)
        self.arrows.add(f"{end}_job")
        calls = {
            "release": lambda: queue.release(lease, "drained"),
            "snooze": lambda: queue.snooze(lease, minute, "away"),
            "retry": lambda: queue.retry(lease, ErrorKind.SESSION_EXPIRED, "expired", minute),
            "fail": lambda: queue.fail(lease, ErrorKind.NOT_FOUND, "Aucun résultat"),
        }
        self.attempt(calls[end], refused)
        if not refused:
            with pytest.raises(LeaseLost):
                calls[end]()

    # -- a host's spool

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), file=st.sampled_from([FILES[0], FILES[0], FILES[0], FILES[1]]))
    def secure(self, data: st.DataObject, file: SecuredFile) -> None:
        self.secured(likely(data, self.in_state(*UNDER_WAY, AMBIGUOUS), list(self.leases)), file)

    def secured(self, purchase: PurchaseId, file: SecuredFile) -> None:
        line = self.lines[purchase]
        other = line.state in BACKED and self.files[purchase] != file.sha256
        refused = Refused if line.state is VOID or other else None
        self.attempt(lambda: self.store.ledger.secure(purchase, file), refused)
        if refused or line.state in BACKED:
            return
        self.files[purchase] = file.sha256
        [now] = [now for now in self.store.ledger.lines() if now.id == purchase]
        assert (now.state, now.sha256, now.secured_at) == (SECURED, file.sha256, self.clock.now)
        job_id = JobId(line.job_id)
        if self.present.get(job_id) == purchase and self.jobs[job_id].status is RUNNING:
            self.until[job_id] = None

    @precondition(lambda self: self.in_state(SECURED))
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        purchase = likely(data, self.in_state(SECURED), list(self.leases))
        job = self.jobs[JobId(self.lines[purchase].job_id)]
        stops = job.status is RUNNING or job.error_kind == ErrorKind.SECURED_ELSEWHERE
        self.arrows.add("lose_purchase")
        self.store.ledger.lose(purchase, "the disk is damaged")
        if self.lines[purchase].state is SECURED and self.present.get(job.id) == purchase and stops:
            self.is_ambiguous(job.id)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), file=st.sampled_from([FILES[0], FILES[0], FILES[0], FILES[1]]))
    def deliver(self, data: st.DataObject, file: SecuredFile) -> None:
        purchase = likely(data, self.in_state(SECURED), list(self.leases))
        if data.draw(st.booleans()):
            self.order(self.orders[JobId(self.lines[purchase].job_id)].request, 1, fresh=data.draw(st.booleans()))
            self.what_must_always_be_true()
        self.delivered(purchase, file)

    def delivered(self, purchase: PurchaseId, file: SecuredFile) -> None:
        line = self.lines[purchase]
        job = self.jobs[JobId(line.job_id)]
        delivery = Delivery(purchase, file.sha256, "index", f"{purchase}.pdf")
        self.arrows |= {"deliver", "reuse"}
        if line.state not in BACKED or self.files[purchase] != file.sha256:
            self.attempt(lambda: self.store.ledger.deliver(delivery), Refused)
            return
        self.paths[purchase] = f"index/{purchase}.pdf"
        outcome = self.store.ledger.deliver(delivery)
        open_end = job.status is RUNNING or job.error_kind in NEVER_BLINDLY
        if line.state is DELIVERED:
            assert outcome == "repeated"
        elif self.present.get(job.id) == purchase and open_end:
            assert outcome == "completed"
            row = self.store.views.job(job.id)
            assert (row.status, row.error_kind, row.supabase_path) == (DONE, None, self.paths[purchase])
        else:
            assert outcome == "kept"
        if outcome != "repeated":
            self.serves_who_waits(job.request)

    @precondition(lambda self: self.given_up() or self.under_way_and_held())
    @rule(data=st.data(), comes_too_late=st.booleans())
    def find_while_another_buys(self, data: st.DataObject, *, comes_too_late: bool) -> None:
        """A file that was given up turns up while another order for its document runs: before it buys, or after."""
        if not self.given_up():
            self.give_up(data.draw(st.sampled_from(self.under_way_and_held())))
            self.what_must_always_be_true()
        purchase = data.draw(st.sampled_from(self.given_up()))
        self.order(self.orders[JobId(self.lines[purchase].job_id)].request, 2, fresh=False)
        for host in self.hosts:
            self.what_must_always_be_true()
            self.lease_jobs(host)
        self.what_must_always_be_true()
        if comes_too_late and self.may_buy():
            self.intend(data)
            self.what_must_always_be_true()
        self.secured(purchase, FILES[0])
        self.what_must_always_be_true()
        if data.draw(st.booleans()):
            self.delivered(purchase, FILES[0])
            self.what_must_always_be_true()
        if self.may_buy():
            self.intend(data)

    # -- a person

    @precondition(lambda self: self.unsettled())
    @rule(data=st.data(), decision=st.sampled_from(Settlement), billed=st.booleans())
    def settle(self, data: st.DataObject, decision: Settlement, *, billed: bool) -> None:
        job_id = likely(data, self.unsettled(), list(self.jobs))
        if job_id not in self.unsettled():
            self.attempt(lambda: self.store.queue.settle(job_id, decision, "a test", billed=billed), Refused)
        else:
            self.settled_by(job_id, decision, billed=billed)

    @precondition(lambda self: self.failed())
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        job_id = likely(data, self.failed(), list(self.jobs))
        job = self.jobs[job_id]
        refused = job.status is not FAILED or job.error_kind in NEVER_BLINDLY
        self.arrows.add("requeue_job")
        self.attempt(lambda: self.store.queue.requeue(job_id, "a test"), Refused if refused else None)
        if not refused:
            self.waits(job_id, 0)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id = likely(data, [lease.job_id for lease in self.running()], list(self.jobs))
        status = self.jobs[job_id].status
        refused = status in (DONE, FAILED) or self.own_state(job_id) in OPEN
        self.arrows.add("cancel_job")
        self.attempt(lambda: self.store.queue.cancel(job_id, "a test"), Refused if refused else None)
        if not refused and status is RUNNING:
            self.asked_to_stop.add(job_id)


@pytest.mark.parametrize("kind", STORES)
def test_the_ledger_does_what_the_model_says(kind: str, request: pytest.FixtureRequest) -> None:
    run(LedgerMachine, kind, store_factory(kind, request))
