"""The queue against a model: any order of calls, by owners alive, late and dead.

The model says which call is accepted, and what becomes of the job; what must always be true is checked after each.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from registre.document import Source
from registre.errors import ErrorKind, LeaseLost, Refused, RegistreError
from registre.gates import Gate, Scope
from registre.job import JobId, JobView, Lease, Order
from tests.property.machines.ports import STORES, run, store_factory
from tests.property.machines.site import BreakerModel
from tests.property.machines.world import (
    BACKOFF,
    DONE,
    FAILED,
    HOST_GONE,
    LEGACY,
    RULES,
    RUNNING,
    VISIBILITY,
    WAITING,
    PortMachine,
    likely,
    lot,
)

ATTEMPT_SECONDS = 100
MOST_RESCUES = 10
ENDS = st.sampled_from([ErrorKind.NOT_FOUND, ErrorKind.CANCELLED])
DELAYS = st.sampled_from([timedelta(0), timedelta(seconds=20)])


class QueueMachine(PortMachine):
    """Each rule is one call; a lease may be any that was ever given."""

    rules_of_the_house = replace(RULES, attempt_seconds=ATTEMPT_SECONDS, breaker_failures=2)

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count()
        self.deadlines: dict[tuple[JobId, int], datetime] = {}
        self.breaker = BreakerModel(self.rules_of_the_house.breaker_failures)

    # -- orders, leases and time

    @precondition(lambda self: self.is_roomy())
    @rule(
        wanted=st.lists(
            st.tuples(
                st.sampled_from([Source.INDEX, Source.PLAN]),
                st.sampled_from([("", 0), ("", 0), ("", 5), ("étude", 1), ("étude", 1)]),
                st.integers(1, 3),
                st.sampled_from([None, None, -60, 60, 600]),
                st.sampled_from([None, None, 45, 900]),
            ),
            min_size=1,
            max_size=3,
        )
    )
    def order(self, wanted: list[tuple[Source, tuple[str, int], int, int | None, int | None]]) -> None:
        def at(seconds: int | None) -> datetime | None:
            return None if seconds is None else self.clock.now + timedelta(seconds=seconds)

        orders = [
            Order(
                lot(next(self.numbers), source),
                *whose,
                max_attempts,
                not_before=at(not_before),
                deadline=at(deadline),
            )
            for source, whose, max_attempts, not_before, deadline in wanted
        ]
        for job_id, order in zip(self.submit(orders), orders, strict=True):
            job = self.store.views.job(job_id)
            assert (job.request, job.client, job.priority) == (order.request, order.client, order.priority)
            late = order.not_before is not None and order.not_before > self.clock.now
            assert job.next_attempt_at == (order.not_before if late else None)

    @precondition(lambda self: any(map(self.has_work, self.hosts)))
    @rule(data=st.data())
    def lease_jobs(self, data: st.DataObject) -> None:
        busy = [self.owner(host) for host in self.hosts if self.has_work(host)]
        self.lease_for(likely(data, busy, list(self.seats)))

    def lease_for(self, owner: str) -> None:
        now = self.clock.now
        frozen = {c.name for c in self.store.gates.closures() if c.gate is Gate.FROZEN}
        due = [job for job in self.due() if job.request.source not in frozen]
        expected = min(self.free_seats(owner), len(due))
        through = self.breaker.room(now)
        leases = self.lease(owner)
        taken = {lease.job_id for lease in leases}
        assert taken <= {job.id for job in due}
        assert len(leases) == (expected if through is None else min(expected, through))
        self.breaker.gave(len(leases), now)
        for lease in leases:
            self.deadlines[lease.job_id, lease.token] = self.clock.now + timedelta(seconds=ATTEMPT_SECONDS)
            self.comes_before(self.jobs[lease.job_id], [job for job in due if job.id not in taken])

    def comes_before(self, job: JobView, left: list[JobView]) -> None:
        """Priority first; then each client's orders in the order in which they came."""
        assert all(other.priority <= job.priority for other in left)
        came = list(self.jobs)
        for other in left:
            if other.priority == job.priority:
                assert came.index(job.id) < came.index(other.id)

    @rule(seconds=st.sampled_from([1.0, 20.0, 60.0, 61.0, 601.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.pass_time(seconds)

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        owner = likely(data, [lease.owner for lease in self.running()], list(self.seats))
        now = self.clock.now
        kept = {
            lease.job_id: self.deadlines[lease.job_id, lease.token]
            for lease in self.given
            if lease.owner == owner and self.alive(lease)
        }
        kept = {job_id: deadline for job_id, deadline in kept.items() if deadline + VISIBILITY > now}
        renewal = self.store.queue.renew(owner, self.given, [], VISIBILITY)
        assert renewal.jobs == set(kept)
        assert renewal.cancelled == set(kept) & self.asked_to_stop
        assert renewal.overdue == {job_id for job_id, deadline in kept.items() if deadline <= now}
        for job_id in kept:
            self.until[job_id] = now + VISIBILITY

    @precondition(lambda self: self.running())
    @rule(data=st.data(), seconds=st.sampled_from([20.0, 50.0]), times=st.integers(2, 5))
    def keep_on(self, data: st.DataObject, seconds: float, times: int) -> None:
        """An attempt that takes its time, past its own deadline."""
        for _ in range(times):
            if self.running():
                self.renew(data)
                self.clock.pass_time(seconds)

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def reboot(self, data: st.DataObject) -> None:
        self.boot(data.draw(st.sampled_from(list(self.hosts))))

    @precondition(lambda self: self.has_expired() or self.late())
    @rule()
    def reclaim(self) -> None:
        self.arrows |= {"reclaim", "expire_job"}
        now = self.clock.now
        lost = [self.jobs[job_id] for job_id, until in self.until.items() if until is not None and until <= now]
        late = self.late()
        outcomes = self.store.queue.reclaim(BACKOFF, HOST_GONE, LEGACY)
        for job in lost:
            if job.attempts >= job.max_attempts:
                self.is_now(job, FAILED, ErrorKind.ATTEMPTS_EXHAUSTED, rescues=job.rescues + 1)
            elif job.id in self.asked_to_stop:
                self.is_now(job, FAILED, ErrorKind.CANCELLED, rescues=job.rescues + 1)
            elif job.deadline is None or job.deadline > now:
                self.waits_until(self.is_now(job, WAITING, rescues=job.rescues + 1), now + BACKOFF)
        for job in late:
            self.is_now(job, FAILED, ErrorKind.DEADLINE_PASSED)
        assert {job_id for job_id, _ in outcomes} >= {job.id for job in (*lost, *late)}
        assert {job_id for job_id, _ in outcomes} <= {job.id for job in (*lost, *late)}

    def late(self) -> list[JobView]:
        now = self.clock.now
        return [j for j in self.jobs.values() if j.status is WAITING and j.deadline is not None and j.deadline <= now]

    # -- ends of a lease

    def is_now(
        self,
        job: JobView,
        status: object,
        kind: ErrorKind | None = None,
        *,
        attempts: int | None = None,
        rescues: int | None = None,
    ) -> JobView:
        row = self.store.views.job(job.id)
        assert (row.status, row.error_kind) == (status, kind)
        assert row.attempts == (job.attempts if attempts is None else attempts)
        assert row.rescues == (job.rescues if rescues is None else rescues)
        return row

    def waits_until(self, job: JobView, at: datetime) -> None:
        assert job.next_attempt_at == (at if at > self.clock.now else None)

    def draw(self, data: st.DataObject) -> tuple[Lease, JobView, type[RegistreError] | None]:
        """A lease, most often a live one, its job, and the error that its end must meet."""
        running = {lease.job_id for lease in self.running()}
        former = [lease for lease in self.given if lease.job_id in running and not self.holds(lease)]
        lease = likely(data, self.running(), former or self.given)
        return lease, self.jobs[lease.job_id], None if self.holds(lease) else LeaseLost

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        lease, job, lost = self.draw(data)
        self.store.queue.note_step(lease, "filling the form")
        assert self.store.views.job(job.id).step == (job.step if lost else "filling the form")

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        lease, job, lost = self.draw(data)
        self.arrows.add("release_job")
        self.attempt(lambda: self.store.queue.release(lease, "drained"), lost)
        if not lost:
            self.given_back(job, timedelta(0), job.rescues)

    def given_back(self, job: JobView, delay: timedelta, rescues: int) -> None:
        if job.id in self.asked_to_stop:
            self.is_now(job, FAILED, ErrorKind.CANCELLED, rescues=rescues)
        else:
            row = self.is_now(job, WAITING, attempts=job.attempts - 1, rescues=rescues)
            self.waits_until(row, self.clock.now + delay)

    @precondition(lambda self: self.given)
    @rule(
        data=st.data(),
        delay=DELAYS,
        rescued=st.booleans(),
        kind=st.sampled_from([None, None, None, ErrorKind.SITE_UNAVAILABLE, ErrorKind.LAYOUT_CHANGED]),
    )
    def snooze(self, data: st.DataObject, delay: timedelta, kind: ErrorKind | None, *, rescued: bool) -> None:
        lease, job, lost = self.draw(data)
        self.arrows.add("snooze_job")
        self.attempt(lambda: self.store.queue.snooze(lease, delay, "away", kind=kind, rescued=rescued), lost)
        if lost:
            return
        if rescued and job.rescues >= MOST_RESCUES:
            self.is_now(job, FAILED, ErrorKind.ATTEMPTS_EXHAUSTED)
        else:
            self.given_back(job, delay, job.rescues + rescued)
        closed = {(c.gate, c.name) for c in self.store.gates.closures()}
        if kind is ErrorKind.LAYOUT_CHANGED:
            assert (Gate.FROZEN, job.request.source) in closed
        if kind is ErrorKind.SITE_UNAVAILABLE:
            self.breaker.away(self.clock.now)

    @precondition(lambda self: self.given)
    @rule(data=st.data(), delay=DELAYS)
    def retry(self, data: st.DataObject, delay: timedelta) -> None:
        lease, job, lost = self.draw(data)
        self.arrows.add("retry_job")
        self.attempt(lambda: self.store.queue.retry(lease, ErrorKind.BAD_DOCUMENT, "cut", delay), lost)
        if lost:
            return
        if job.attempts >= job.max_attempts:
            self.is_now(job, FAILED, ErrorKind.ATTEMPTS_EXHAUSTED)
        elif job.id in self.asked_to_stop:
            self.is_now(job, FAILED, ErrorKind.CANCELLED)
        else:
            self.waits_until(self.is_now(job, WAITING), self.clock.now + delay)

    @precondition(lambda self: self.given)
    @rule(data=st.data(), kind=ENDS)
    def fail(self, data: st.DataObject, kind: ErrorKind) -> None:
        lease, _, lost = self.draw(data)
        if lost:
            self.attempt(lambda: self.store.queue.fail(lease, kind, "Aucun résultat"), lost)
        else:
            self.failed(lease, kind)

    def failed(self, lease: Lease, kind: ErrorKind) -> None:
        self.arrows.add("fail_job")
        self.store.queue.fail(lease, kind, "Aucun résultat")
        self.is_now(self.jobs[lease.job_id], FAILED, kind)
        if kind is not ErrorKind.CANCELLED:
            self.breaker.answered()

    # -- a person

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        running = [lease.job_id for lease in self.running()]
        job = self.jobs[likely(data, running, list(self.jobs))]
        self.arrows.add("cancel_job")
        refused = Refused if job.status in (DONE, FAILED) else None
        self.attempt(lambda: self.store.queue.cancel(job.id, "a test"), refused)
        if job.status is WAITING:
            self.is_now(job, FAILED, ErrorKind.CANCELLED)
        elif job.status is RUNNING:
            self.is_now(job, RUNNING)
            self.asked_to_stop.add(job.id)

    @precondition(lambda self: any(job.status is FAILED for job in self.jobs.values()))
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        failed = [job_id for job_id, job in self.jobs.items() if job.status is FAILED]
        job = self.jobs[likely(data, failed, list(self.jobs))]
        self.arrows.add("requeue_job")
        self.attempt(lambda: self.store.queue.requeue(job.id, "a test"), None if job.status is FAILED else Refused)
        if job.status is FAILED:
            self.waits_until(self.is_now(job, WAITING, attempts=0, rescues=0), self.clock.now)

    @rule(answers=st.sampled_from([False, False, True]))
    def try_site(self, *, answers: bool) -> None:
        """As a worker does that signs in, without a job."""
        if answers:
            self.store.gates.site_answered()
            self.breaker.answered()
        else:
            self.store.gates.site_away("503")
            self.breaker.away(self.clock.now)

    @precondition(lambda self: len(self.due()) > 1)
    @rule(data=st.data(), waits=st.sampled_from([60.0, 121.0]), kind=ENDS)
    def come_back(self, data: st.DataObject, waits: float, kind: ErrorKind) -> None:
        """The site goes away for a while; the first job that may start tries it for all others."""
        while self.breaker.until is None:
            self.store.gates.site_away("503")
            self.breaker.away(self.clock.now)
        self.clock.now = max(self.clock.now, self.breaker.until)
        for pause in (0.0, waits, 0.0):
            self.clock.pass_time(pause)
            for host in self.hosts:
                if self.has_work(host):
                    self.lease_for(self.owner(host))
                    self.what_must_always_be_true()
        ends: bool = data.draw(st.booleans())
        if self.running() and ends:
            self.failed(self.running()[-1], kind)

    def what_is_true_here(self) -> None:
        shown = [c for c in self.store.gates.closures() if c.gate is Gate.BREAKER]
        if self.breaker.is_open(self.clock.now):
            assert [closure.until for closure in shown] == [self.breaker.until]
        elif self.breaker.until is None:
            assert not shown

    @precondition(lambda self: self.store.gates.closures())
    @rule(source=st.sampled_from([None, Source.INDEX, Source.PLAN]))
    def resume(self, source: Source | None) -> None:
        scope = Scope.SITE if source is None else Scope.SOURCE
        before = self.store.gates.closures()
        was_closed = any((c.scope, c.name) == (scope, source or "") for c in before)
        answer = self.store.gates.resume(scope, source or "", "a test")
        assert answer or not was_closed
        assert not [c for c in self.store.gates.closures() if (c.scope, c.name) == (scope, source or "")]
        if source is None:
            self.breaker.answered()


@pytest.mark.parametrize("kind", STORES)
def test_the_queue_does_what_the_model_says(kind: str, request: pytest.FixtureRequest) -> None:
    run(QueueMachine, kind, store_factory(kind, request))
