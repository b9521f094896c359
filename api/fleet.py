"""Who works, and who asks: the hosts as they were last heard of, what they cannot deliver, and the caller's own name and role.

Invariant: a caller is told of its own key alone.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from litestar import Router, get

from api import problems
from api.access import needs
from api.desk import AnyRequest, UsesStore, caller_of, serves
from api.schemas import Wire
from registre.access import Role
from registre.job import HostFacts
from registre.wiring import Store


class Host(Wire):
    """One host that ever started a worker. `seen_at` is when its worker last renewed what it holds; `undelivered` are the
    documents that are safe in its spool and not yet in their bucket. `state` is `alive` while it renews, `silent` when it stopped
    to without a word, `stopped` after a drain."""

    host: str
    version: str
    seen_at: datetime
    undelivered: int
    oldest_undelivered_at: datetime | None
    boot: str
    started_at: datetime
    state: str
    accounts: int
    does_upkeep: bool
    facts: HostFacts


class Hosts(Wire):
    """By name."""

    hosts: tuple[Host, ...]


class Failing(Wire):
    """One document that is bought and safe on its host, and that its bucket did not take `failures` times; why, the last time."""

    job_id: str
    host: str
    source: str
    number: str
    secured_at: datetime
    failures: int
    failed_at: datetime
    reason: str


class Undelivered(Wire):
    """The longest first, 100 at most. None is given up: each is tried again until its bucket takes it."""

    failing: tuple[Failing, ...]


class Caller(Wire):
    """Whose key was sent, and what it may do."""

    name: str
    role: Role


@get("/hosts", summary="Every host", **serves(Role.VIEWER))
def hosts(store: UsesStore) -> Hosts:
    return Hosts(hosts=tuple(Host(**{**asdict(view), "facts": view.facts}) for view in store.views.hosts()))


@get("/undelivered", summary="Documents whose delivery keeps failing", **serves(Role.VIEWER))
def undelivered(store: UsesStore) -> Undelivered:
    return undelivered_of(store)


def undelivered_of(store: Store) -> Undelivered:
    found = [asdict(delivery) for delivery in store.views.failing_deliveries()]
    return Undelivered(
        failing=tuple(Failing(**{k: v for k, v in each.items() if k != "purchase_id"}) for each in found)
    )


@get(
    "/caller",
    opt=needs(Role.VIEWER),
    sync_to_thread=False,
    summary="Whose key this is",
    responses=problems.problem_responses(),
)
def caller(request: AnyRequest) -> Caller:
    found = caller_of(request)
    return Caller(name=found.name, role=found.role)


ROUTER = Router("/api", route_handlers=[hosts, undelivered, caller], tags=["monitoring"])
