"""Entry, login, menu and images.

Invariant: nothing here needs a session but the menu; a login always ends on the menu or on the login page.
"""

from __future__ import annotations

import base64

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath
from litestar.response import Redirect

from registre.twin import paths
from registre.twin.pages import redirect
from registre.twin.web import COOKIE, UsesFields, UsesSession, UsesTwin

_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@get(paths.ENTRY)
async def entry(twin: UsesTwin) -> Response[bytes]:
    return twin.pages.page("entry.html")


@get(paths.LOGIN)
async def login_page(twin: UsesTwin) -> Response[bytes]:
    return twin.pages.page("login.html", error="")


@post(paths.LOGIN, status_code=200)
async def login(twin: UsesTwin, fields: UsesFields) -> Response[bytes] | Redirect:
    session = twin.sign_in(fields.get("txtVaCodeUtils", "").strip(), fields.get("txtMotPasse", ""))
    if isinstance(session, str):
        return twin.pages.page("login.html", error=session)
    if twin.faults.take("identity_question", session.account):
        twin.sessions.close(session)
        return twin.pages.page("identity.html")
    answer = redirect(paths.MENU)
    answer.set_cookie(Cookie(key=COOKIE, value=session.token, path="/", httponly=True))
    return answer


@get(paths.MENU)
async def menu(twin: UsesTwin, session: UsesSession) -> Response[bytes]:
    return twin.pages.page("menu.html", account=session.account)


@post(paths.NOTICE, status_code=302)
async def read_notice(session: UsesSession) -> Redirect:
    session.notice = False
    return redirect(paths.MENU)


@get(paths.SIGN_OUT)
async def sign_out(twin: UsesTwin, session: UsesSession) -> Response[bytes]:
    twin.sign_out(session)
    return twin.pages.page("signed_out.html")


@get(paths.IMAGES + "/{name:str}")
async def image(name: FromPath[str]) -> Response[bytes]:
    """Every image is one transparent pixel: only its name says anything."""
    return Response(_PIXEL, media_type="image/gif", headers={"cache-control": "max-age=86400", "x-image": name})


HANDLERS = [entry, login_page, login, read_notice, menu, sign_out, image]
