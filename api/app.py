"""The API as an ASGI application.

Invariant: every handler names the role it needs; one that names none is an admin's alone.
"""

from __future__ import annotations

import logging

from litestar import Litestar
from litestar.di import Provide

from api import accounts, batches, extractions, gates, history, money, monitoring, problems, stories
from api.access import Gatekeeper
from api.desk import provide_store
from api.documentation import OPENAPI
from api.documentation import ROUTER as DOCUMENTATION
from api.etag import EntityTags
from registre.wiring import Store

log = logging.getLogger(__name__)

ROUTERS = [
    extractions.ROUTER,
    *stories.ROUTERS,
    batches.ROUTER,
    accounts.ROUTER,
    gates.ROUTER,
    money.ROUTER,
    history.ROUTER,
    monitoring.ROUTER,
    DOCUMENTATION,
]


def create_app(store: Store, *, open_to_all: bool = False) -> Litestar:
    """The application over `store`. `open_to_all` asks nobody for a key."""
    app = Litestar(
        route_handlers=ROUTERS,
        dependencies={"store": Provide(provide_store)},
        guards=[Gatekeeper(open_to_all=open_to_all).guard],
        exception_handlers=problems.HANDLERS,
        middleware=[EntityTags],
        openapi_config=OPENAPI,
        logging_config=None,
        request_max_body_size=1_000_000,
    )
    app.state.store = store
    return app
