"""Who works, and who asks: the hosts as they were last heard of, and the caller's own name and role.

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


class Caller(Wire):
    """Whose key was sent, and what it may do."""

    name: str
    role: Role


@get("/hosts", summary="Every host", **serves(Role.VIEWER))
def hosts(store: UsesStore) -> Hosts:
    return Hosts(hosts=tuple(Host(**{**asdict(view), "facts": view.facts}) for view in store.views.hosts()))


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


ROUTER = Router("/api", route_handlers=[hosts, caller], tags=["monitoring"])
