"""What the pages share: posted fields, the session they need, and the faults that bite before any page.

Invariant: a request that needs a session and has none ends on the login page with a 302.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect

from registre.twin import paths
from registre.twin.core import Twin
from registre.twin.layout import read_fields
from registre.twin.pages import redirect
from registre.twin.places import Place, place_of
from registre.twin.sentences import GONE
from registre.twin.sessions import Demand, Session
from registre.twin.wire import Trouble, order_trouble

COOKIE = "ASPSESSIONIDTWIN"

Fields = Mapping[str, str]
TwinRequest = Request[Any, Any, Any]

UsesTwin = NamedDependency[SkipValidation[Twin]]
UsesSession = NamedDependency[SkipValidation[Session]]
UsesFields = NamedDependency[SkipValidation[Fields]]


class SessionMissing(Exception):
    """No live session behind the request's cookie."""


class DemandMissing(Exception):
    """The session knows no such request id, or it is not as far as this page."""


class NoticeUnread(Exception):
    """The session has a notice to read first."""


def twin_of(request: TwinRequest) -> Twin:
    return cast(Twin, request.app.state.twin)


async def provide_twin(request: TwinRequest) -> Twin:
    return twin_of(request)


async def provide_session(request: TwinRequest) -> Session:
    place = await _place(request)
    session = twin_of(request).session(request.cookies.get(COOKIE), place)
    if session is None:
        raise SessionMissing
    if session.notice and place is not Place.NOTICE:
        raise NoticeUnread
    return session


async def provide_fields(request: TwinRequest) -> Fields:
    """The posted form, decoded as the page that held it was encoded; the first of repeated names counts."""
    twin = twin_of(request)
    body = (await request.body()).decode("ascii", "replace")
    pairs = parse_qsl(body, keep_blank_values=True, encoding=twin.pages.encoding, errors="replace")
    return read_fields(dict(reversed(pairs)), twin.faults)


async def _place(request: TwinRequest) -> Place:
    fields = await provide_fields(request) if request.method == "POST" else {}
    return place_of(request.method, request.url.path, fields)


def demand_of(session: Session, demand_id: str) -> Demand:
    demand = session.demands.get(demand_id)
    if demand is None:
        raise DemandMissing
    return demand


async def before_page(request: TwinRequest) -> Response[bytes] | None:
    """Counts the page, then lets what can befall any page bite; `Trouble` befalls its answer, after the page's own work."""
    twin, place = twin_of(request), await _place(request)
    twin.traffic.paths[request.url.path] += 1
    account = twin.sessions.account_of(request.cookies.get(COOKIE))
    if latency := twin.faults.number("latency_ms", account, place):
        await twin.pause(latency / 1000)
    for trouble in Trouble:
        if twin.faults.take(trouble.value, account, place):
            order_trouble(request.scope, trouble)
            return None
    if twin.faults.take("status_5xx", account, place):
        return Response(b"HTTP/1.1 Service Unavailable", status_code=503, media_type="text/html")
    if twin.faults.take("maintenance", account, place):
        return twin.pages.page("maintenance.html")
    if twin.faults.take("closed", account, place):
        return twin.pages.page("closed.html")
    return None


def to_login(_: TwinRequest, __: SessionMissing) -> Redirect:
    return redirect(paths.LOGIN)


def to_notice(request: TwinRequest, _: NoticeUnread) -> Response[bytes]:
    return twin_of(request).pages.page("notice.html")


def gone(request: TwinRequest, _: DemandMissing) -> Response[bytes]:
    return twin_of(request).pages.page("message.html", sentence=GONE, source=None)
