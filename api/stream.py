"""What happens, as it happens: server-sent events, resumed by `Last-Event-ID`.

Invariant: between two connections nothing is skipped and nothing told twice. A reader who is too slow is let go, and comes back
where it was; so is one who stays long, so that its key is asked for again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Litestar, Router, get
from litestar.params import HeaderParameter, QueryParameter
from litestar.response import Stream

from api import problems
from api.access import needs
from api.desk import AnyRequest, UsesStore
from api.hub import Hub, Told, told
from api.paging import read_event_cursor
from registre.access import Role
from registre.errors import DatabaseUnavailable
from registre.following import PAGE
from registre.ports import Views

RETRY_MS = 1000
KEEP_ALIVE_SECONDS = 15.0
LONGEST_SECONDS = 900.0


@get(
    "/api/events",
    opt=needs(Role.VIEWER),
    media_type="text/event-stream",
    summary="What happens, as it happens",
    responses=problems.problem_responses(400),
)
async def events(
    request: AnyRequest,
    store: UsesStore,
    last_event_id: Annotated[
        str | None, HeaderParameter(name="Last-Event-ID", description="The last event known; sent by browsers.")
    ] = None,
    after: Annotated[str | None, QueryParameter(description="The same, for those who cannot send a header.")] = None,
) -> Stream:
    """Server-sent events; `event` is the kind, `data` as in /api/history. Without a last event, from now on."""
    given = last_event_id if last_event_id is not None else after
    start = None if given is None else read_event_cursor(given, "Last-Event-ID")
    return Stream(
        _events(hub_of(request.app), store.views, start, request.app.state.keep_alive_seconds),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def hub_of(app: Litestar) -> Hub:
    """The one hub of this application, made when it is first listened to."""
    hub: Hub | None = app.state.get("hub")
    if hub is None:
        hub = app.state.hub = Hub(app.state.store.views, app.state.store.queue)
    return hub


async def _events(hub: Hub, views: Views, cursor: str | None, keep_alive: float) -> AsyncIterator[bytes]:
    """What was missed is read here, for this reader alone; what comes then, by the hub. What comes from both is told once."""
    until = time.monotonic() + LONGEST_SECONDS
    yield b"retry: %d\n\n" % RETRY_MS
    try:
        if cursor is not None:
            while missed := await asyncio.to_thread(views.events_after, cursor, PAGE):
                yield _text([told(event) for event in missed])
                cursor = missed[-1].cursor
        listener, joined_at = await asyncio.to_thread(hub.join, asyncio.get_running_loop())
    except DatabaseUnavailable:
        return  # the reader comes back with what it was told last
    try:
        seen: set[str] = set()
        if cursor is None:
            yield b"id: " + joined_at.encode() + b"\nevent: ready\ndata: {}\n\n"
        else:
            seen = await asyncio.to_thread(_numbers_after, views, joined_at)
        while cursor is not None and (missed := await asyncio.to_thread(views.events_after, cursor, PAGE)):
            yield _text([told(event) for event in missed])
            cursor = missed[-1].cursor
            seen.update(event.cursor.rpartition("-")[2] for event in missed)
        while time.monotonic() < until:
            came = await listener.take(keep_alive)
            if came is None:
                return
            fresh = [event for event in came if event.number not in seen]
            yield _text(fresh) if fresh else b": still here\n\n"
    except DatabaseUnavailable:
        return
    finally:
        hub.leave(listener)


def _numbers_after(views: Views, cursor: str) -> set[str]:
    """What the hub, which may be behind this reader, has yet to hand out of what is there. All of it was told to the reader
    before, or is about to be read for it."""
    numbers: set[str] = set()
    while events := views.events_after(cursor, PAGE):
        numbers.update(event.cursor.rpartition("-")[2] for event in events)
        cursor = events[-1].cursor
    return numbers


def _text(events: list[Told]) -> bytes:
    return b"".join(event.text for event in events)


ROUTER = Router("/", route_handlers=[events], tags=["events"])
