"""The twin as an ASGI application.

Invariant: an application is one twin; its pages share one `before_page`, which the admin door does not have.
"""

from __future__ import annotations

import logging

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import Scope

from registre.twin import web, web_admin, web_choices, web_entry, web_forms, web_viewer
from registre.twin.config import TwinConfig
from registre.twin.core import Twin

_log = logging.getLogger(__name__)


def create_app(config: TwinConfig) -> Litestar:
    """A twin ready to be served; `app.state.twin` is its `Twin`."""
    handlers = [*web_entry.HANDLERS, *web_forms.HANDLERS, *web_choices.HANDLERS, *web_viewer.HANDLERS]
    pages = Router(
        "/",
        route_handlers=handlers,
        before_request=web.before_page,
        dependencies={"session": Provide(web.provide_session), "fields": Provide(web.provide_fields)},
        exception_handlers={
            web.SessionMissing: web.to_login,
            web.NoticeUnread: web.to_notice,
            web.DemandMissing: web.gone,
        },
    )
    app = Litestar(
        route_handlers=[pages, *web_admin.HANDLERS],
        dependencies={"twin": Provide(web.provide_twin)},
        openapi_config=None,
        logging_config=None,
        after_exception=[_report],
    )
    app.state.twin = Twin(config)
    return app


async def _report(error: Exception, scope: Scope) -> None:
    """The twin's own mistakes are logged; what it means to answer is not."""
    if not isinstance(error, web.SessionMissing | web.NoticeUnread | web.DemandMissing | HTTPException):
        _log.error("the twin failed at %s", scope["path"], exc_info=error)
