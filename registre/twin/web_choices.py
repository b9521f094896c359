"""From the search to the viewer: the two lists, the confirmation and the loading page.

Invariant: nothing here is billed; a document that needs it cannot be loaded before it is confirmed.
"""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromQuery
from litestar.response import Redirect

from registre.twin import paths
from registre.twin.documents import PlanList, Row, SimilarList
from registre.twin.pages import redirect
from registre.twin.sentences import NOT_CONFIRMED, NOTHING_CHOSEN, PAPER_ONLY
from registre.twin.sessions import Demand, Session
from registre.twin.web import DemandMissing, UsesFields, UsesSession, UsesTwin, demand_of

_SHORTEST_POLL_MS = 50
_LONGEST_POLL_MS = 1000


@post(paths.SIMILAR_LIST, status_code=200)
async def choose_similar(twin: UsesTwin, session: UsesSession, fields: UsesFields) -> Response[bytes] | Redirect:
    demand = demand_of(session, fields.get("demnd", ""))
    if not isinstance(demand.answer, SimilarList):
        raise DemandMissing
    rows = demand.answer.rows
    row = _chosen(rows, fields.get("optDocmn", ""))
    if row is None or row.document is None:
        error = NOTHING_CHOSEN if row is None else PAPER_ONLY
        return twin.pages.page("similar_list.html", demand=demand, rows=rows, error=error)
    return _go_on(session, demand, row)


@get(paths.PLAN_LIST)
async def plan_list(twin: UsesTwin, session: UsesSession, demnd: FromQuery[str] = "") -> Response[bytes]:
    demand = demand_of(session, demnd)
    if not isinstance(demand.answer, PlanList):
        raise DemandMissing
    return twin.pages.page("plan_list.html", demand=demand, answer=demand.answer, error="")


@post(paths.PLAN_LIST, status_code=200)
async def choose_plan(
    twin: UsesTwin, session: UsesSession, fields: UsesFields, demnd: FromQuery[str] = ""
) -> Response[bytes] | Redirect:
    demand = demand_of(session, demnd)
    if not isinstance(demand.answer, PlanList):
        raise DemandMissing
    row = _chosen(demand.answer.rows, fields.get("optPlan", ""))
    if row is None:
        return twin.pages.page("plan_list.html", demand=demand, answer=demand.answer, error=NOTHING_CHOSEN)
    return _go_on(session, demand, row)


@get(paths.CONFIRMATION)
async def confirmation(twin: UsesTwin, session: UsesSession, demnd: FromQuery[str] = "") -> Response[bytes]:
    demand = demand_of(session, demnd)
    if demand.document is None:
        raise DemandMissing
    return twin.pages.page("confirmation.html", demand=demand, document=demand.document)


@post(paths.CONFIRMATION, status_code=302)
async def confirm(session: UsesSession, fields: UsesFields, demnd: FromQuery[str] = "") -> Redirect:
    demand = demand_of(session, demnd)
    if "btnConfr" not in fields:
        return redirect(paths.FORMS[demand.source])
    demand.confirmed = True
    return redirect(paths.of_demand(paths.LOADING, demand.id))


@get(paths.LOADING)
async def loading(twin: UsesTwin, session: UsesSession, demnd: FromQuery[str] = "") -> Response[bytes] | Redirect:
    demand = demand_of(session, demnd)
    document = demand.document
    if document is None:
        raise DemandMissing
    if document.needs_confirmation and not demand.confirmed:
        return twin.pages.page("message.html", sentence=NOT_CONFIRMED, source=demand.source)
    left = twin.seconds_left(session, demand, document)
    if not left:
        return redirect(paths.of_demand(paths.VIEWER, demand.id))
    poll_ms = min(max(round(left * 1000), _SHORTEST_POLL_MS), _LONGEST_POLL_MS)
    return twin.pages.page("loading.html", demand=demand, poll_ms=poll_ms)


def _chosen(rows: tuple[Row, ...], value: str) -> Row | None:
    return next((row for i, row in enumerate(rows, 1) if str(i) == value), None)


def _go_on(session: Session, demand: Demand, row: Row) -> Redirect:
    """A choice is a request of its own, so that going back to the list and choosing again is billed again."""
    chosen = session.ask(demand.source, demand.answer)
    chosen.document = row.document
    needs = row.document is not None and row.document.needs_confirmation
    return redirect(paths.of_demand(paths.CONFIRMATION if needs else paths.LOADING, chosen.id))


HANDLERS = [choose_similar, plan_list, choose_plan, confirmation, confirm, loading]
