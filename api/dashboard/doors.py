"""Coming in and going out: signing in with a key, signing out, the language, the pages' own files; and what is shown when
something cannot be.

Invariant: a session begins with a key that opens, sent by a page of this very server; nobody is led anywhere but to a path of it.
"""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException, NotAuthorizedException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from api import problems
from api.access import OPEN, SESSION_COOKIE, Gatekeeper, needs
from api.dashboard.rendering import HEADERS, LANGUAGE_COOKIE, STATIC, page
from api.desk import AnyRequest, UsesStore
from registre.access import SESSION, Role, make_session, prefix_of, session_digest
from registre.errors import RegistreError
from registre.language import Language
from registre.wiring import Store

YEAR_SECONDS = 365 * 86_400
_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]{0,500}")
_FILE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")

To = Annotated[str, QueryParameter(description="Where to go on.")]


@get("/sign-in", opt=needs(OPEN), sync_to_thread=False)
def sign_in_page(request: AnyRequest, to: To = "/") -> Response[str]:
    return page(request, "sign_in.html", to=_path(to), refused=False)


@post("/sign-in", opt=needs(OPEN), status_code=303)
async def sign_in(request: AnyRequest, store: UsesStore, to: To = "/") -> Response[Any]:
    """A key for a session."""
    _from_here(request)
    keeper: Gatekeeper = request.app.state.gatekeeper
    keeper.refuse_impatience(request)
    key = (await request.form()).get("key")
    session = await asyncio.to_thread(_opened, store, key.strip() if isinstance(key, str) else "")
    if session is None:
        keeper.note_wrong(request)
        return page(request, "sign_in.html", status=401, to=_path(to), refused=True)
    answer = Redirect(_path(to), status_code=303)
    answer.set_cookie(_cookie(request, SESSION_COOKIE, session, int(SESSION.total_seconds())))
    return answer


@post("/sign-out", opt=needs(Role.VIEWER), status_code=303)
async def sign_out(request: AnyRequest, store: UsesStore) -> Redirect:
    session = request.cookies.get(SESSION_COOKIE, "")
    await asyncio.to_thread(store.keys.close_session, session_digest(session))
    keeper: Gatekeeper = request.app.state.gatekeeper
    keeper.forget(session)
    answer = Redirect("/sign-in", status_code=303)
    answer.set_cookie(_cookie(request, SESSION_COOKIE, "", 0))
    return answer


@get("/language/{language:str}", opt=needs(OPEN), status_code=303, sync_to_thread=False)
def choose_language(request: AnyRequest, language: FromPath[str], to: To = "/") -> Redirect:
    if language not in set(Language):
        raise NotFoundException
    answer = Redirect(_path(to), status_code=303)
    answer.set_cookie(_cookie(request, LANGUAGE_COOKIE, language, YEAR_SECONDS))
    return answer


@get("/static/{name:str}", opt=needs(OPEN), sync_to_thread=True)
def static_file(name: FromPath[str]) -> Response[bytes]:
    """A file of the pages; its address changes with its content."""
    file = STATIC / name
    if not _FILE.fullmatch(name) or not file.is_file():
        raise NotFoundException
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(file.read_bytes(), media_type=kind, headers=headers)


def _opened(store: Store, text: str) -> str | None:
    """A new session for a key that opens."""
    prefix = prefix_of(text)
    known = store.keys.find(prefix) if prefix else None
    if known is None or not known.opens_for(text):
        return None
    session = make_session()
    store.keys.open_session(session_digest(session), known.prefix)
    store.keys.note_use(known.prefix)
    return session


def _from_here(request: AnyRequest) -> None:
    """No session yet, hence no token: a browser names where a form comes from, and another site could sign a person in as
    somebody else."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    host = request.headers.get("host", "")
    if (origin is not None and origin.partition("://")[2] != host) or site not in ("same-origin", "none"):
        raise PermissionDeniedException("This form comes from another site.")


def _cookie(request: AnyRequest, name: str, value: str, seconds: int) -> Cookie:
    """Unreadable to scripts, and not sent along with the forms of other sites; over HTTPS only, where that is spoken."""
    secure = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
    return Cookie(name, value=value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=secure)


def _path(text: str) -> str:
    return text if _PATH.fullmatch(text) else "/"


# -- what cannot be shown


def _stranger(request: AnyRequest, error: NotAuthorizedException) -> Response[Any]:
    """To the sign-in, and back from there."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "") if request.method == "GET" else "/"
    address = "/sign-in" if here == "/" else f"/sign-in?to={quote(here, safe='/')}"
    if request.headers.get("hx-request"):
        return Response(b"", status_code=401, headers={**HEADERS, "HX-Redirect": address}, media_type="text/html")
    return Redirect(address, status_code=303)


def _told(judge: Callable[[AnyRequest, Any], Response[problems.Problem]]) -> Callable[[AnyRequest, Any], Response[Any]]:
    """What the API would answer as problem details, as a page."""

    def answer(request: AnyRequest, error: Any) -> Response[Any]:
        found = judge(request, error)
        return page(request, "problem.html", status=found.status_code or 500, problem=found.content)

    return answer


HANDLERS: ExceptionHandlersMap = {
    NotAuthorizedException: _stranger,
    RegistreError: _told(problems.of_ours),
    HTTPException: _told(problems.of_http),
    Exception: _told(problems.of_unforeseen),
}
HANDLED = [sign_in_page, sign_in, sign_out, choose_language, static_file]
