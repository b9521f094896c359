"""The API as an ASGI application.

Invariant: every handler names the role it needs; one that names none is an admin's alone.
"""

from __future__ import annotations

import logging
from pathlib import Path

from litestar import Litestar
from litestar.datastructures import ResponseHeader
from litestar.di import Provide

from api import (
    accounts,
    alerts,
    batches,
    dashboard,
    extractions,
    fleet,
    gates,
    history,
    keys,
    money,
    monitoring,
    overview,
    problems,
    site,
    stories,
    stream,
    webhooks,
)
from api.access import Gatekeeper
from api.bodies import CheckedRequest
from api.desk import provide_store
from api.documentation import OPENAPI
from api.documentation import ROUTER as DOCUMENTATION
from api.etag import EntityTags
from registre.drawing import Drawing
from registre.wiring import Store

log = logging.getLogger(__name__)

ROUTERS = [
    extractions.ROUTER,
    *stories.ROUTERS,
    overview.ROUTER,
    fleet.ROUTER,
    alerts.ROUTER,
    batches.ROUTER,
    accounts.ROUTER,
    gates.ROUTER,
    site.ROUTER,
    money.ROUTER,
    history.ROUTER,
    stream.ROUTER,
    webhooks.ROUTER,
    keys.ROUTER,
    monitoring.ROUTER,
    DOCUMENTATION,
    dashboard.ROUTER,
]


def create_app(
    store: Store,
    *,
    open_to_all: bool = False,
    private_webhooks: bool = False,
    keep_alive_seconds: float = stream.KEEP_ALIVE_SECONDS,
    evidence: Path | None = None,
) -> Litestar:
    """The application over `store`. `open_to_all` asks nobody for a key, `private_webhooks` allows webhooks by http,
    `keep_alive_seconds` is how long a stream is silent, and `evidence` is this host's folder of evidence, if it has one.

    Whoever serves it calls `stream.hub_of(app).close()` before it waits for its connections.
    """
    gatekeeper = Gatekeeper(open_to_all=open_to_all)
    app = Litestar(
        route_handlers=ROUTERS,
        dependencies={"store": Provide(provide_store)},
        guards=[gatekeeper.guard],
        exception_handlers=problems.HANDLERS,
        middleware=[EntityTags],
        request_class=CheckedRequest,
        openapi_config=OPENAPI,
        logging_config=None,
        request_max_body_size=1_000_000,
        response_headers=[ResponseHeader(name="X-Content-Type-Options", value="nosniff", documentation_only=False)],
    )
    app.state.store = store
    app.state.private_webhooks = private_webhooks
    app.state.gatekeeper = gatekeeper
    app.state.evidence = evidence
    app.state.drawing = Drawing()
    app.state.keep_alive_seconds = keep_alive_seconds
    return app
