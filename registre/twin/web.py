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
from registre.twin.pages import redirect
from registre.twin.sentences import GONE
from registre.twin.sessions import Demand, Session

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


def twin_of(request: TwinRequest) -> Twin:
    return cast(Twin, request.app.state.twin)


async def provide_twin(request: TwinRequest) -> Twin:
    return twin_of(request)


async def provide_session(request: TwinRequest) -> Session:
    session = twin_of(request).session(request.cookies.get(COOKIE))
    if session is None:
        raise SessionMissing
    return session


async def provide_fields(request: TwinRequest) -> Fields:
    """The posted form, decoded as the page that held it was encoded; the first of repeated names counts."""
    body = (await request.body()).decode("ascii", "replace")
    pairs = parse_qsl(body, keep_blank_values=True, encoding=twin_of(request).config.encoding, errors="replace")
    return dict(reversed(pairs))


def demand_of(session: Session, demand_id: str) -> Demand:
    demand = session.demands.get(demand_id)
    if demand is None:
        raise DemandMissing
    return demand


async def before_page(request: TwinRequest) -> Response[bytes] | None:
    """Counts the page, then lets latency, 5xx and maintenance bite, in that order."""
    twin = twin_of(request)
    twin.traffic.paths[request.url.path] += 1
    if latency := twin.faults.number("latency_ms"):
        await twin.pause(latency / 1000)
    if twin.faults.take("status_5xx"):
        return Response(b"HTTP/1.1 Service Unavailable", status_code=503, media_type="text/html")
    if twin.faults.is_on("maintenance"):
        return twin.pages.page("maintenance.html")
    return None


def to_login(_: TwinRequest, __: SessionMissing) -> Redirect:
    return redirect(paths.LOGIN)


def gone(request: TwinRequest, _: DemandMissing) -> Response[bytes]:
    return twin_of(request).pages.page("message.html", sentence=GONE, source=None)
