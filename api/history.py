"""Everything that happened, page by page; for what happens, see `api.stream`.

Invariant: a cursor is an event's id; what came after it is told in the order in which it became visible, and nothing is skipped.
"""

from __future__ import annotations

from typing import Annotated

from litestar import Router, get
from litestar.params import QueryParameter

from api.desk import UsesStore, serves
from api.paging import read_event_cursor
from api.schemas import Fact, Wire, fact
from registre.access import Role


class Deeds(Wire):
    """Newest first."""

    events: tuple[Fact, ...]


class HistoryPage(Wire):
    """Oldest first. `next_after` is the id to go on from; when nothing came, the one that was given."""

    events: tuple[Fact, ...]
    next_after: str


@get("/api/history", summary="What happened", **serves(Role.VIEWER, 400))
def history(
    store: UsesStore,
    after: Annotated[
        str | None,
        QueryParameter(description="The last event's id; empty for the beginning; without it the last ones."),
    ] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> HistoryPage:
    if after is None:
        found = store.views.last_events(limit)
    else:
        found = store.views.events_after(read_event_cursor(after, "after"), limit)
    return HistoryPage(events=tuple(map(fact, found)), next_after=found[-1].cursor if found else after or "")


@get("/api/audit", summary="What people did", **serves(Role.OPERATOR, 400))
def audit(
    store: UsesStore,
    before: Annotated[str | None, QueryParameter(description="The id of the last one known.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> Deeds:
    """Each names its author."""
    known = read_event_cursor(before, "before") if before else None
    return Deeds(events=tuple(map(fact, store.views.deeds(known, limit))))


ROUTER = Router("/", route_handlers=[history, audit], tags=["events"])
