"""Two stores under one clock: each call is made on both, and both must answer alike.

Invariant: the left store goes first and names what it creates; the right one is told those names, so that rows compare as
they are, and ties between names fall alike on both sides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import date
from itertools import cycle
from typing import Any, TypeVar
from uuid import uuid4

from registre.account import AccountView
from registre.batch import BatchView
from registre.budget import CostBy
from registre.errors import RegistreError
from registre.gates import Gate
from registre.job import JobView, Status
from tests.memory.store import MemoryStore
from tests.property.machines.fold import fold
from tests.property.machines.ports import Clock, Ports, StoreAt

T = TypeVar("T")

WHOLE = (date(2000, 1, 1), date(2100, 1, 1))
WAITS = ("next_attempt_at",)
RUNS = ("worker_id", "step", "started_at")
ALWAYS = ("id", "status", "request", "client", "batch_id", "priority", "attempts", "max_attempts", "rescues",
          "supabase_path", "error_kind", "cost_cents", "deadline", "created_at")  # fmt: skip


class Beside:
    """The store under test on the left, memory on the right."""

    def __init__(self, store_at: StoreAt, clock: Clock) -> None:
        self.names: deque[str] = deque()
        self.left = store_at(clock)
        self.right = MemoryStore(clock, lambda: self.names.popleft() if self.names else str(uuid4()))
        self._groupings = cycle((CostBy.CLIENT, CostBy.SOURCE, CostBy.DAY))
        self.cursors = {"left": "", "right": ""}
        self.told: dict[str, dict[str, list[Any]]] = {"left": {}, "right": {}}

    def both(
        self, call: Callable[[Ports], T], names: Callable[[T], Iterable[str]] = lambda _: ()
    ) -> T | type[RegistreError]:
        """What both answered, or the class of the error both raised. `names` are the ids of what the left one has created."""
        return self.outcome(call, lambda answer: answer, names)

    def outcome(
        self,
        call: Callable[[Ports], T],
        seen: Callable[[T], object],
        names: Callable[[T], Iterable[str]] = lambda _: (),
    ) -> T | type[RegistreError]:
        """Like `both`, where answers are compared by what `seen` sees of them."""
        left = _answer(lambda: call(self.left))
        self.names = deque([] if isinstance(left, type) else names(left))
        right = _answer(lambda: call(self.right))
        if isinstance(left, type) or isinstance(right, type):
            assert left == right, f"{left} here, {right} in memory"
        else:
            assert seen(left) == seen(right), _difference(seen(left), seen(right))
        assert not self.names, "the right store has created less than the left one"
        return left

    def look_alike(self) -> None:
        """Everything people can see is the same on both sides."""
        self.outcome(lambda s: s.views.jobs(limit=1000), lambda jobs: [_job(job) for job in jobs])
        self.both(lambda s: s.views.counts())
        self.outcome(lambda s: s.ledger.lines(), lambda lines: {line.id: _without(line, "reason") for line in lines})
        self.outcome(lambda s: s.accounts.all(), lambda accounts: [_account(account) for account in accounts])
        # The use of '*' is of whoever spent most, and whether that counts those with a cap of their own is no matter here.
        self.both(
            lambda s: {
                (b.scope, b.name, b.period): (b.cap_cents, None if b.name == "*" else b.used_cents)
                for b in s.treasury.budgets()
            }
        )
        self.outcome(lambda s: s.batches.all(limit=1000), lambda batches: {b.id: _batch(b) for b in batches})
        by = next(self._groupings)
        self.outcome(
            lambda s: s.treasury.costs(*WHOLE, by),
            lambda lines: {_without(line) for line in lines if any(_without(line)[1:])},
        )
        self._same_closures()
        self._same_facts()

    def settings_look_alike(self) -> None:
        """What an operator has set is the same on both sides."""
        self.both(lambda s: s.gates.rules())
        self.outcome(
            lambda s: s.gates.pauses(), lambda pauses: {(p.scope, p.name, p.author, p.reason, p.at) for p in pauses}
        )
        self.both(lambda s: sorted(s.treasury.fees(), key=lambda fee: (fee.source, fee.valid_from)))

    def _same_closures(self) -> None:
        """Gate, scope and name; a budget only by the name that has its own cap, a breaker only while it is open."""
        capped = {(b.scope, b.name) for b in self.right.treasury.budgets() if b.name != "*"}
        tries = self.right.state.breaker.is_half_open(self.right.state.clock())

        def seen(store: Ports) -> set[object]:
            return {
                (closure.gate, closure.scope, closure.name)
                for closure in store.gates.closures()
                if not (closure.gate is Gate.BUDGET and (closure.scope, closure.name) not in capped)
                and not (closure.gate is Gate.BREAKER and tries)
            }

        self.both(seen)

    def _same_facts(self) -> None:
        stores: dict[str, Ports] = {"left": self.left, "right": self.right}
        for side, store in stores.items():
            for event in store.views.events_after(self.cursors[side], limit=10_000):
                self.cursors[side] = event.cursor
                if event.job_id is not None:
                    self.told[side].setdefault(event.job_id, []).append(event)
        left, right = ({key: fold(events) for key, events in self.told[side].items()} for side in ("left", "right"))
        assert left == right


def _difference(left: object, right: object) -> str:
    """Only what differs, for an eye that looks for it."""
    if isinstance(left, list | tuple) and isinstance(right, list | tuple) and len(left) == len(right):
        pairs = [(a, b) for a, b in zip(left, right, strict=True) if a != b]
        return "; ".join(f"{a} here, {b} in memory" for a, b in pairs)
    if isinstance(left, set | frozenset) and isinstance(right, set | frozenset):
        return f"only here: {left - right}; only in memory: {right - left}"
    return f"{left} here, {right} in memory"


def _answer(call: Callable[[], T]) -> T | type[RegistreError]:
    try:
        return call()
    except RegistreError as error:
        return type(error)


def _without(row: Any, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(row, field.name) for field in fields(row) if field.name not in names)


def _job(job: JobView) -> dict[str, Any]:
    """What the row says; what only a running or a waiting job needs is compared while it is one."""
    names = {
        Status.WAITING: (*ALWAYS, *WAITS),
        Status.RUNNING: (*ALWAYS, *RUNS),
        Status.DONE: (*ALWAYS, "finished_at"),
        Status.FAILED: (*ALWAYS, "finished_at"),
    }[job.status]
    return {name: getattr(job, name) for name in names}


def _account(account: AccountView) -> tuple[Any, ...]:
    return _without(account, "reason", "until")


def _batch(batch: BatchView) -> tuple[Any, ...]:
    """Money as one sum: whether what is charged counts as spent or as reserved is a matter of taste."""
    rest = _without(batch, "spent_cents", "reserved_cents", "done_at", "approved_at", "approved_by", "counts")
    return (*rest, batch.spent_cents + batch.reserved_cents, tuple(batch.counts[status] for status in Status))
