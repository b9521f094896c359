"""Who asks: the key of a request, or of the session its browser holds, and whether its role covers what is asked.

Invariant: what names no role asks for an admin; only what says `OPEN` needs no key. A revoked key opens nothing for longer than
`FRESH_SECONDS` after its revocation. A browser sends its cookie along with any page's form: what changes something is done for
a session only with the token that its own pages carry. An address that tries one wrong key after the other is asked to wait, at
no cost to the database.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import time
from dataclasses import dataclass
from typing import Any, Literal

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException, TooManyRequestsException
from litestar.handlers import BaseRouteHandler

from api.patience import Patience
from registre.access import KnownKey, Role, form_token, prefix_of, session_digest
from registre.ports import KeyRing
from registre.serving import is_loopback

ROLE = "role"
OPEN: Literal["open"] = "open"
FRESH_SECONDS = 2.0
NOTED_SECONDS = 60.0
MOST_KEPT = 1000

SESSION_COOKIE = "registre_session"
TOKEN_FIELD, TOKEN_HEADER = "form_token", "x-form-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?")
_NO_KEY = "A key is needed: Authorization: Bearer registre_…, or X-API-Key."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; `name` is kept as the author of what is done."""

    name: str
    role: Role
    sender: str
    """What keeps one caller's Idempotency-Keys from another's."""


ANYBODY = Caller("anybody", Role.ADMIN, "open")
"""Every caller of an API that was opened by its setting."""


def needs(role: Role | Literal["open"]) -> dict[str, Any]:
    """For a handler's `opt`."""
    return {ROLE: role}


class Gatekeeper:
    """Judges requests. Runs in the server's loop; the database is asked in a thread, and not for every request."""

    def __init__(self, *, open_to_all: bool = False) -> None:
        self.patience = Patience()
        self._open_to_all = open_to_all
        self._known: dict[str, tuple[KnownKey, float]] = {}
        self._noted: dict[str, float] = {}

    async def guard(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """For Litestar's `guards`: 401 without a key that is known, 403 when its role does not cover the handler's."""
        needed = handler.opt.get(ROLE, Role.ADMIN)
        if needed == OPEN:
            return
        caller = _anybody(connection) if self._open_to_all else await self._caller(connection)
        connection.scope["user"] = caller
        if not caller.role.covers(needed):
            raise PermissionDeniedException(f"This needs a key of the role {needed}; this one is a {caller.role}'s.")

    async def _caller(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
        text = _presented(connection)
        session = connection.cookies.get(SESSION_COOKIE)
        if text is None and session:
            return await self._by_session(connection, session)
        prefix = prefix_of(text) if text else None
        if text is None or prefix is None:
            raise NotAuthorizedException(_NO_KEY, headers={"WWW-Authenticate": "Bearer"})
        if not self._opened_lately(prefix, text):
            self.refuse_impatience(connection)
        known = self._kept(prefix) or await asyncio.to_thread(
            self._look_up, connection.app.state.store.keys, prefix, text
        )
        if known is None or not known.opens_for(text):
            self.note_wrong(connection)
            raise NotAuthorizedException(
                "This key is unknown or revoked.", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
            )
        return Caller(known.name, known.role, known.prefix)

    async def _by_session(self, connection: ASGIConnection[Any, Any, Any, Any], session: str) -> Caller:
        digest = session_digest(session)
        if digest not in self._known:
            self.refuse_impatience(connection)
        known = self._kept(digest) or await asyncio.to_thread(
            self._look_up_session, connection.app.state.store.keys, digest
        )
        if known is None or known.is_revoked:
            self.note_wrong(connection)
            raise NotAuthorizedException("The session has ended; sign in again.")
        if connection.scope.get("method", "GET") not in SAFE and not await _is_own_form(connection, session):
            raise PermissionDeniedException("This form is not of this session; load its page again.")
        return Caller(known.name, known.role, known.prefix)

    def refuse_impatience(self, connection: ASGIConnection[Any, Any, Any, Any]) -> None:
        """429 for an address that has presented too many wrong keys; TooManyRequestsException says for how long."""
        if seconds := self.patience.wait_seconds(_address(connection)):
            raise TooManyRequestsException(
                f"Too many wrong keys came from this address; try again in {seconds} s.",
                headers={"Retry-After": str(seconds)},
            )

    def note_wrong(self, connection: ASGIConnection[Any, Any, Any, Any]) -> None:
        """A key or a session came from this address that opens nothing."""
        self.patience.note_wrong(_address(connection))

    def _opened_lately(self, prefix: str, text: str) -> bool:
        """Not whether it opens now: that is still to be asked."""
        known, _ = self._known.get(prefix, (None, 0.0))
        return known is not None and known.opens_for(text)

    def forget(self, session: str) -> None:
        """A session that was ended here opens nothing from now on."""
        self._known.pop(session_digest(session), None)

    def _look_up_session(self, keys: KeyRing, digest: str) -> KnownKey | None:
        known = keys.find_session(digest)
        if known is not None and not known.is_revoked:
            self._keep(digest, known)
            self._note(keys, known.prefix)
        return known

    def _kept(self, prefix: str) -> KnownKey | None:
        known, until = self._known.get(prefix, (None, 0.0))
        return known if time.monotonic() < until else None

    def _look_up(self, keys: KeyRing, prefix: str, text: str) -> KnownKey | None:
        known = keys.find(prefix)
        if known is None:
            return None
        if known.opens_for(text):
            self._keep(prefix, known)
            self._note(keys, prefix)
        return known

    def _keep(self, name: str, known: KnownKey) -> None:
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
            self._noted.clear()
        self._known[name] = known, time.monotonic() + FRESH_SECONDS

    def _note(self, keys: KeyRing, prefix: str) -> None:
        now = time.monotonic()
        if now >= self._noted.get(prefix, 0.0):
            self._noted[prefix] = now + NOTED_SECONDS
            keys.note_use(prefix)


def _anybody(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    """Without keys no page from elsewhere may make a browser of this machine order, nor may a name that was made to lead here."""
    host, origin = connection.headers.get("host", ""), connection.headers.get("origin")
    name = _HOST.fullmatch(host)
    if name is None or not is_loopback(name[1].strip("[]")) or origin not in (None, f"http://{host}"):
        raise PermissionDeniedException(
            "This API asks for no key, and so answers nobody but programs on its own machine."
        )
    return ANYBODY


def _address(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Whom the socket leads to. Nothing that a caller writes into a header is believed: behind a proxy it is the proxy."""
    return connection.client.host if connection.client else ""


async def _is_own_form(connection: ASGIConnection[Any, Any, Any, Any], session: str) -> bool:
    """Whether the session's token came along: in a header from scripts, else as a field of the form, read once for all."""
    sent, form = connection.headers.get(TOKEN_HEADER), None
    if sent is None and isinstance(connection, Request) and _is_form(connection):
        form = await connection.form()
        field = form.get(TOKEN_FIELD)
        sent = field if isinstance(field, str) else None
    known = hmac.compare_digest((sent or "").encode(), form_token(session).encode())
    if not known and form is not None:
        await form.close()  # no handler comes after this, which would close what was uploaded
    return known


def _is_form(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("application/x-www-form-urlencoded", "multipart/form-data")


def _presented(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    return connection.headers.get("x-api-key")
