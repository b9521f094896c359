"""The web dashboard: pages made by the server from the same store as the API, kept fresh by htmx and the event stream."""

from __future__ import annotations

from litestar import Router
from litestar.di import Provide

from api.dashboard import batches, doors, fleet, glance, money, order, orders
from api.dashboard.forms import provide_form

ROUTER = Router(
    "/",
    route_handlers=[
        *doors.HANDLED,
        *glance.HANDLED,
        *orders.HANDLED,
        *order.HANDLED,
        *batches.HANDLED,
        *fleet.HANDLED,
        *money.HANDLED,
    ],
    dependencies={"form": Provide(provide_form)},
    exception_handlers=doors.HANDLERS,
    include_in_schema=False,
    request_max_body_size=200_000,
)
