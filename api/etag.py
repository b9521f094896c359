"""ETags for pollers: an answer that is the one they have is not sent again.

Invariant: an ETag is the hash of the whole answer, so two equal ones are one answer. Streams, errors and what is not JSON pass.
"""

from __future__ import annotations

import hashlib

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send


class EntityTags:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == "GET":
            send = _Tagging(scope, send).send
        await self._app(scope, receive, send)


class _Tagging:
    """One answer on its way out: its start is held back until its body tells the tag."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] == 200 and _is_json(list(message["headers"])):
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            start, self._start = self._start, None
            if not message["more_body"]:
                await self._tagged(start, message)
                return
            await self._send(start)
        await self._send(message)

    async def _tagged(self, start: Message, body: Message) -> None:
        assert start["type"] == "http.response.start"
        assert body["type"] == "http.response.body"
        tag = f'"{hashlib.sha256(body["body"]).hexdigest()[:32]}"'.encode()
        headers = [*start["headers"], (b"etag", tag), (b"cache-control", b"private, no-cache")]
        if tag in _asked(self._scope):
            kept = [
                (name, value) for name, value in headers if name.lower() not in (b"content-length", b"content-type")
            ]
            await self._send({**start, "status": 304, "headers": kept})
            await self._send({**body, "body": b""})
            return
        await self._send({**start, "headers": headers})
        await self._send(body)


def _is_json(headers: list[tuple[bytes, bytes]]) -> bool:
    names = dict(headers)
    return names.get(b"content-type", b"").startswith(b"application/json") and b"etag" not in names


def _asked(scope: Scope) -> set[bytes]:
    """The tags of If-None-Match; a weak one is as good."""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            return {tag.strip().removeprefix(b"W/") for tag in value.split(b",")}
    return set()
