"""The keys of this API over HTTP: who may use it.

Invariant: a key's text is answered once, to whoever made it, and never kept on the way; nobody ends the key they call with.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from litestar import Response, Router, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api.desk import AnyRequest, UsesStore, caller_of, serves
from api.schemas import Asked, Wire
from registre.access import KeyView, Role, make_key
from registre.errors import NotFound, Refused
from registre.operations import key_name, key_prefix, role_name
from registre.wiring import Store


class Key(Wire):
    """A key by its prefix, which is no secret. `last_used_at` is exact to the minute."""

    prefix: str
    name: str
    role: Role
    author: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


class KeyList(Wire):
    """Oldest first, revoked ones included."""

    keys: tuple[Key, ...]


class NewKeyAsked(Asked):
    """`role` is viewer, requester, operator or admin: each may do what those before it may."""

    name: Annotated[str, Meta(max_length=100, description="Whose it is; kept as the author of what is done with it.")]
    role: Annotated[str, Meta(max_length=40)] = Role.REQUESTER


class KeyMade(Wire):
    """`text` is shown this once and kept nowhere."""

    key: Key
    text: str


@get("/", summary="List keys", **serves(Role.ADMIN))
def list_keys(store: UsesStore) -> KeyList:
    return KeyList(keys=tuple(_key(view) for view in store.keys.all()))


@post("/", summary="Make a key", **serves(Role.ADMIN, 400))
def add_key(data: JSONBody[NewKeyAsked], request: AnyRequest, store: UsesStore) -> Response[KeyMade]:
    name, role, key = key_name(data.name), role_name(data.role), make_key()
    store.keys.add(key, name, role, caller_of(request).name)
    made = KeyMade(key=_one(store, key.prefix), text=key.text)
    return Response(made, status_code=201, headers={"Cache-Control": "no-store"})


@delete("/{prefix:str}", status_code=200, summary="End a key", **serves(Role.ADMIN, 400, 404, 409))
def revoke_key(prefix: FromPath[str], request: AnyRequest, store: UsesStore) -> Key:
    """Whoever holds it is refused within two seconds, and signed out of the dashboard."""
    known, caller = key_prefix(prefix, "GET /api/keys"), caller_of(request)
    if known == caller.sender:
        raise Refused("This is the key you call with; another admin's key ends it.")
    store.keys.revoke(known, caller.name)
    return _one(store, known)


def _one(store: Store, prefix: str) -> Key:
    for view in store.keys.all():
        if view.prefix == prefix:
            return _key(view)
    raise NotFound("No key has this prefix.")


def _key(view: KeyView) -> Key:
    return Key(**asdict(view))


ROUTER = Router(
    "/api/keys", route_handlers=[list_keys, add_key, revoke_key], request_max_body_size=10_000, tags=["keys"]
)
