"""The stores a state machine is run over, and the clock it sets.

Invariant: a machine knows ports only; one call to `run` is one kind of store.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from registre.ports import AccountBook, Batches, Fleet, Gates, Idleness, JobQueue, Ledger, Treasury, Views
from tests.memory.store import MemoryStore


class Ports(Protocol):
    """What `registre.wiring.Store` and the fake both offer, without the bucket."""

    @property
    def queue(self) -> JobQueue: ...
    @property
    def accounts(self) -> AccountBook: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def fleet(self) -> Fleet: ...
    @property
    def views(self) -> Views: ...
    @property
    def gates(self) -> Gates: ...
    @property
    def treasury(self) -> Treasury: ...
    @property
    def batches(self) -> Batches: ...
    @property
    def idleness(self) -> Idleness: ...


StoreAt = Callable[[Callable[[], datetime]], Ports]
"""A new, empty store that reads this clock; whatever an earlier call has returned is over."""

MEMORY, POSTGRES = "memory", "postgres"
STORES = (MEMORY, POSTGRES)

EXAMPLES = {MEMORY: 60, POSTGRES: 6}
EXAMPLES_ASKED = os.environ.get("REGISTRE_MACHINE_EXAMPLES")
"""So many examples, other ones at each run; without it the same few every time, so that the test command is no game of chance."""


class Clock:
    """The instant everything happens at, until the test says otherwise. Starts on a Monday at 10:00 in Toronto."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def store_factory(kind: str, request: pytest.FixtureRequest) -> StoreAt:
    if kind == MEMORY:
        return MemoryStore
    factory: StoreAt = request.getfixturevalue("store_at")
    return factory


def run(machine: type[RuleBasedStateMachine], kind: str, store_at: StoreAt, *, steps: int = 50) -> None:
    bound: Any = type(machine.__name__, (machine,), {"store_at": staticmethod(store_at)})
    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=int(EXAMPLES_ASKED or EXAMPLES[kind]),
            derandomize=EXAMPLES_ASKED is None,
            database=None,
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
