"""What was spent and what may be: costs, budgets, fees.

Invariant: amounts are in cents; days are those of America/Toronto, the registry's own.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

from litestar import Response, Router, delete, get, put
from litestar.params import FromQuery, JSONBody, QueryParameter
from msgspec import Meta

from api.desk import AnyRequest, UsesStore, caller_of, serves
from api.schemas import Asked, Cents, Wire
from registre.access import Role
from registre.budget import CostBy, Period
from registre.document import Source
from registre.errors import InvalidInput
from registre.gates import Scope
from registre.language import TORONTO
from registre.operations import budget_target
from registre.orders.costs import render_costs
from registre.wiring import Store

MAX_CENTS = 1_000_000_000


FirstDay = Annotated[
    date | None, QueryParameter(name="from", description="First day; the first of this month by default.")
]
LastDay = Annotated[date | None, QueryParameter(name="to", description="Last day; today by default.")]


class CostView(Wire):
    """`ambiguous` may or may not have been billed; `reserved` are under way; `reused` cost nothing."""

    key: str
    documents: int
    documents_cents: Cents
    ambiguous: int
    ambiguous_cents: Cents
    reserved: int
    reserved_cents: Cents
    reused: int


class Costs(Wire):
    first: date
    last: date
    by: CostBy
    lines: tuple[CostView, ...]


class BudgetView(Wire):
    """`name` is empty for the site, `*` for each that has no budget of its own."""

    scope: Scope
    name: str
    period: Period
    cap_cents: Cents
    used_cents: Cents


class Budgets(Wire):
    budgets: tuple[BudgetView, ...]


class NewBudget(Asked):
    scope: Annotated[str, Meta(examples=["client"], description="site, account, client or batch")]
    cap_cents: Annotated[int, Meta(ge=0, le=MAX_CENTS)]
    name: Annotated[str, Meta(max_length=100)] = ""
    period: Annotated[str, Meta(description="day or month; a batch has one for its whole.")] = "day"


class FeeView(Wire):
    """`source` is `*` for every source without a fee of its own."""

    source: str
    valid_from: date
    cents: Cents


class Fees(Wire):
    fees: tuple[FeeView, ...]


class NewFee(Asked):
    """From that day on; what was already intended keeps its fee."""

    cents: Annotated[int, Meta(ge=0, le=1_000_000)]
    valid_from: date
    source: Annotated[str, Meta(examples=["acte"])] = "*"


@get("/costs", summary="What was spent", **serves(Role.VIEWER, 400))
def costs(
    store: UsesStore,
    by: FromQuery[CostBy] = CostBy.DAY,
    first: Annotated[
        date | None, QueryParameter(name="from", description="First day; the first of this month by default.")
    ] = None,
    last: Annotated[date | None, QueryParameter(name="to", description="Last day; today by default.")] = None,
) -> Costs:
    begin, end = days_of(first, last)
    lines = store.treasury.costs(begin, end, by)
    return Costs(first=begin, last=end, by=by, lines=tuple(CostView(**asdict(line)) for line in lines))


@get("/costs.csv", media_type="text/csv", summary="What was spent, as CSV", **serves(Role.VIEWER, 400))
def costs_csv(
    store: UsesStore,
    by: FromQuery[CostBy] = CostBy.DAY,
    first: Annotated[
        date | None, QueryParameter(name="from", description="First day; the first of this month by default.")
    ] = None,
    last: Annotated[date | None, QueryParameter(name="to", description="Last day; today by default.")] = None,
) -> Response[bytes]:
    """UTF-8 with its mark; amounts in cents."""
    begin, end = days_of(first, last)
    text = render_costs(by, store.treasury.costs(begin, end, by))
    headers = {"Content-Disposition": f'attachment; filename="costs {begin} {end}.csv"'}
    return Response(text.encode("utf-8-sig"), media_type="text/csv", headers=headers)


@get("/budgets", summary="Every cap", **serves(Role.VIEWER))
def list_budgets(store: UsesStore) -> Budgets:
    return _budgets(store)


@put("/budgets", summary="Set a cap", **serves(Role.ADMIN, 400, 404, 409))
def set_budget(data: JSONBody[NewBudget], request: AnyRequest, store: UsesStore) -> Budgets:
    """Two workers can never pass it together: the fee is reserved before the click."""
    scope, period = budget_target(data.scope, data.name, data.period, "period")
    store.treasury.set_budget(scope, data.name, period, data.cap_cents, caller_of(request).name)
    return _budgets(store)


@delete("/budgets", status_code=200, summary="Remove a cap", **serves(Role.ADMIN, 400, 404))
def remove_budget(
    request: AnyRequest,
    store: UsesStore,
    caps: Annotated[str, QueryParameter(name="scope", description="site, account, client or batch")],
    name: FromQuery[str] = "",
    period: FromQuery[str] = "day",
) -> Budgets:
    kind, span = budget_target(caps, name, period, "period")
    store.treasury.set_budget(kind, name, span, None, caller_of(request).name)
    return _budgets(store)


@get("/fees", summary="What documents cost", **serves(Role.VIEWER))
def list_fees(store: UsesStore) -> Fees:
    return _fees(store)


@put("/fees", summary="Set a fee", **serves(Role.ADMIN, 400, 409))
def set_fee(data: JSONBody[NewFee], request: AnyRequest, store: UsesStore) -> Fees:
    if data.source != "*" and data.source not in set(Source):
        raise InvalidInput("source", f"'{data.source[:40]}' is unknown; one of {', '.join(Source)}, or *, is expected.")
    store.treasury.set_fee(data.source, data.valid_from, data.cents, caller_of(request).name)
    return _fees(store)


def days_of(first: date | None, last: date | None) -> tuple[date, date]:
    today = datetime.now(TORONTO).date()
    begin, end = first or today.replace(day=1), last or today
    if end < begin:
        raise InvalidInput("to", "the last day is before the first.")
    if end.year > 9000 or begin.year < 1900:
        raise InvalidInput("from" if begin.year < 1900 else "to", "days from 1900 to 9000 are expected.")
    return begin, end


def _budgets(store: Store) -> Budgets:
    return Budgets(budgets=tuple(BudgetView(**asdict(budget)) for budget in store.treasury.budgets()))


def _fees(store: Store) -> Fees:
    return Fees(fees=tuple(FeeView(**asdict(fee)) for fee in store.treasury.fees()))


ROUTER = Router(
    "/api",
    route_handlers=[costs, costs_csv, list_budgets, set_budget, remove_budget, list_fees, set_fee],
    request_max_body_size=10_000,
    tags=["money"],
)
