"""What was spent and what may be, and what people did.

Invariant: days are those of America/Toronto, the registry's own.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from litestar import Response, get
from litestar.params import FromQuery, QueryParameter

from api.dashboard.forms import shows
from api.dashboard.rendering import page
from api.desk import AnyRequest, UsesStore
from api.money import days_of
from api.paging import read_event_cursor
from registre.access import Role
from registre.budget import CostBy

AUDIT_SHOWN = 100


@get("/costs", **shows())
def costs(
    request: AnyRequest,
    store: UsesStore,
    by: FromQuery[CostBy] = CostBy.DAY,
    first: Annotated[date | None, QueryParameter(name="from")] = None,
    last: Annotated[date | None, QueryParameter(name="to")] = None,
) -> Response[str]:
    begin, end = days_of(first, last)
    lines = store.treasury.costs(begin, end, by)
    return page(
        request,
        "costs.html",
        live=True,
        by=by,
        kinds=list(CostBy),
        first=begin,
        last=end,
        lines=lines,
        most=max((line.documents_cents + line.ambiguous_cents + line.reserved_cents for line in lines), default=0),
        budgets=store.treasury.budgets(),
        fees=store.treasury.fees(),
    )


@get("/audit", **shows(Role.OPERATOR))
def audit(request: AnyRequest, store: UsesStore, before: FromQuery[str] = "") -> Response[str]:
    known = read_event_cursor(before, "before") if before else None
    deeds = store.views.deeds(known, AUDIT_SHOWN)
    return page(
        request,
        "audit.html",
        live=not before,
        deeds=deeds,
        next_before=deeds[-1].cursor if len(deeds) == AUDIT_SHOWN else None,
    )


HANDLED = [costs, audit]
