"""Orders: the list with its filter, many at once, and what failed by its cause.

Invariant: nothing is done to many orders but after a page that names their number, and refused when there are meanwhile others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromQuery, QueryParameter
from litestar.response import Redirect

from api import paging
from api.dashboard.forms import UsesForm, acts, field, shows, whole_number
from api.dashboard.rendering import page
from api.desk import AnyRequest, UsesStore, caller_of, filter_of, job_id_of
from api.extractions import total_of
from api.overview import causes_of
from registre.access import Role
from registre.document import Source
from registre.errors import InvalidInput
from registre.job import JobFilter, JobId, JobView
from registre.language import TORONTO
from registre.operations import MOST, Bulk, BulkAction
from registre.wiring import Store

PAGE, SHOWN = 50, 20
FILTERS = ("status", "source", "client", "batch", "error_kind", "circonscription", "text")

Before = Annotated[str | None, QueryParameter(name="cursor", description="The last row of the page before.")]


@get("/orders", **shows())
def orders(
    request: AnyRequest,
    store: UsesStore,
    cursor: Before = None,
    status: FromQuery[str] = "all",
    source: FromQuery[str] = "",
    client: FromQuery[str] = "",
    batch: FromQuery[str] = "",
    error_kind: FromQuery[str] = "",
    circonscription: FromQuery[str] = "",
    text: FromQuery[str] = "",
) -> Response[str]:
    asked = dict(zip(FILTERS, (status, source, client, batch, error_kind, circonscription, text), strict=True))
    problem = None
    try:
        wanted = chosen(asked)
        found = store.views.page(wanted, paging.read(cursor), PAGE)
        total, exact = total_of(store, wanted)
    except InvalidInput as error:  # the filter stays, to be mended
        problem, found, total, exact = error.message, None, 0, True
    return page(
        request,
        "orders.html",
        status=400 if problem else 200,
        live=cursor is None and problem is None,
        asked=asked,
        problem=problem,
        jobs=found.jobs if found else (),
        next_cursor=paging.shown(found.next_cursor) if found else None,
        first=cursor is None,
        total=total,
        exact=exact,
        sources=list(Source),
        most=MOST,
    )


@post("/orders/choose", **acts(Role.OPERATOR))
def choose(form: UsesForm) -> Redirect:
    """From marks, or the whole listing, to the page that asks once more."""
    action = _action(field(form, "action"))
    fields: list[tuple[str, str]] = [("action", action)]
    if field(form, "whole"):
        fields += [(name, field(form, name)) for name in FILTERS if field(form, name)]
        fields.append(("whole", "1"))
    else:
        fields += [("ids", str(value)) for value in form.getall("ids", [])]
    return Redirect(f"/orders/confirm?{urlencode(fields)}", status_code=303)


@get("/orders/confirm", **shows(Role.OPERATOR))
def confirm(request: AnyRequest, store: UsesStore, action: FromQuery[str] = "") -> Response[str]:
    """How many are meant, which they are, and what retrying them may cost."""
    doing = _action(action)
    told = request.query_params
    asked = {name: str(told[name]) for name in FILTERS if name in told} if "whole" in told else {}
    meant = _meant(asked, [str(value) for value in told.getall("ids", [])])
    jobs = Bulk(store.queue, store.views).choose(meant)
    shown = [store.views.job(job_id) for job_id in jobs[:SHOWN]]
    return page(
        request,
        "confirm.html",
        action=doing,
        asked=asked,
        ids=[] if asked else jobs,
        expected=len(jobs),
        shown=shown,
        cost=_cost(store, jobs, shown) if doing is BulkAction.RETRY else None,
    )


@post("/orders/bulk", **acts(Role.OPERATOR))
def bulk(request: AnyRequest, form: UsesForm, store: UsesStore) -> Response[Any]:
    """Done, but for those that a rule keeps back: these are listed with the rule's sentence."""
    action = _action(field(form, "action"))
    asked = {name: field(form, name) for name in FILTERS if field(form, name)}
    meant = _meant(asked, [str(value) for value in form.getall("ids", [])])
    author = caller_of(request).name
    outcome = Bulk(store.queue, store.views).run(action, meant, whole_number(form, "expected"), author)
    return page(
        request,
        "done.html",
        status=200,
        action=action,
        done=len(outcome.done),
        refused=[(store.views.job(job_id), reason) for job_id, reason in outcome.refused[:SHOWN]],
        refused_count=len(outcome.refused),
    )


@get("/failures", **shows())
def failures(request: AnyRequest, store: UsesStore) -> Response[str]:
    return page(request, "failures.html", live=True, causes=causes_of(store).causes, most=MOST)


def chosen(asked: dict[str, str]) -> JobFilter:
    """The filter of an address; InvalidInput for one that is none."""
    source = asked.get("source") or None
    if source is not None and source not in set(Source):
        raise InvalidInput("source", f"'{source[:40]}' is unknown; one of {', '.join(Source)} is expected.")
    return filter_of(
        asked.get("status") or "all",
        Source(source) if source else None,
        asked.get("client") or None,
        asked.get("batch") or None,
        asked.get("error_kind") or None,
        asked.get("circonscription") or None,
        asked.get("text") or None,
    )


def _meant(asked: dict[str, str], ids: list[str]) -> JobFilter | list[JobId]:
    if not asked:
        if not ids:
            raise InvalidInput("ids", "mark at least one order.")
        return [job_id_of(text) for text in ids]
    wanted = chosen(asked)
    if wanted == JobFilter():
        raise InvalidInput("filter", "every order there is would be meant; narrow the list first.")
    return wanted


def _action(text: str) -> BulkAction:
    if text not in set(BulkAction):
        raise InvalidInput("action", f"one of {', '.join(BulkAction)} is expected.")
    return BulkAction(text)


def _cost(store: Store, jobs: list[JobId], shown: list[JobView]) -> int:
    """At most, at today's fees: of those that are shown, as a measure for all."""
    today = datetime.now(TORONTO).date()
    known = sorted(store.treasury.fees(), key=lambda fee: fee.valid_from)
    now = {fee.source: fee.cents for fee in known if fee.valid_from <= today}
    fees = [now.get(str(job.request.source), now.get("*", 0)) for job in shown]
    return round(len(jobs) * sum(fees) / len(fees)) if fees else 0


HANDLED = [orders, choose, confirm, bulk, failures]
