"""The viewer: a frameset, its two frames and the download.

Invariant: generating the frameset is what is billed; what was not billed has neither frames nor download.
"""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromQuery

from registre.twin import paths
from registre.twin.documents import Document
from registre.twin.pages import typographic
from registre.twin.pdf import facts, render_pdf
from registre.twin.sentences import NOT_CONFIRMED
from registre.twin.sessions import Demand, Session
from registre.twin.web import DemandMissing, UsesSession, UsesTwin, demand_of

PDF = "application/pdf"


@get(paths.VIEWER)
async def viewer(twin: UsesTwin, session: UsesSession, demnd: FromQuery[str] = "") -> Response[bytes]:
    """Bills, each time it is asked for. The page is made first: a failure to is free."""
    demand = demand_of(session, demnd)
    document = demand.document
    if document is None or demand.ready_at is None or twin.seconds_left(session, demand, document):
        raise DemandMissing
    if document.needs_confirmation and not demand.confirmed:
        return twin.pages.page("message.html", sentence=NOT_CONFIRMED, source=demand.source)
    page = twin.pages.page("viewer.html", demand=demand, document=document)
    twin.show(session, demand, document)
    return page


@get(paths.VIEWER_MENU)
async def viewer_menu(twin: UsesTwin, session: UsesSession, demnd: FromQuery[str] = "") -> Response[bytes]:
    demand, document = _billed(session, demnd)
    no_link = twin.faults.take("no_save_link", session.account)
    return twin.pages.page("viewer_menu.html", demand=demand, document=document, no_link=no_link)


@get(paths.VIEWER_PAGE)
async def viewer_page(twin: UsesTwin, session: UsesSession, demnd: FromQuery[str] = "") -> Response[bytes]:
    _, document = _billed(session, demnd)
    if twin.config.inline_pdf and not document.is_html:
        return Response(render_pdf(document, twin.config.seed), media_type=PDF)
    shown = [typographic(fact) for fact in facts(document)]
    return twin.pages.page("viewer_page.html", document=document, facts=shown)


@get([paths.SAVE, paths.SAVE_PLAIN])
async def save(twin: UsesTwin, session: UsesSession, demnd: FromQuery[str] = "") -> Response[bytes]:
    _, document = _billed(session, demnd)
    if twin.faults.take("no_download", session.account):
        await twin.pause(None)
    if twin.faults.take("html_for_pdf", session.account):
        return twin.pages.page("login.html", error="")
    return Response(
        twin.file(session.account, document),
        media_type=PDF,
        headers={"content-disposition": f'attachment; filename="{document.number}.pdf"', "cache-control": "private"},
    )


def _billed(session: Session, demand_id: str) -> tuple[Demand, Document]:
    demand = demand_of(session, demand_id)
    if demand.line is None or demand.document is None:
        raise DemandMissing
    return demand, demand.document


HANDLERS = [viewer, viewer_menu, viewer_page, save]
