"""What every body must be before a handler sees it: whole in time, JSON in UTF-8, and no deeper than can be read.

Invariant: a body is read in the server's loop, once its caller is known and before a handler has a thread; whoever does not
finish it within `BODY_SECONDS` is answered 408 and let go. What cannot be read is the caller's mistake, never ours.
"""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request
from litestar.connection.base import empty_receive, empty_send
from litestar.exceptions import HTTPException, SerializationException
from litestar.types import Receive, ReceiveMessage, Scope, Send

BODY_SECONDS = 120.0
"""For the largest file that is taken, over a slow line."""


class CheckedRequest(Request[Any, Any, Any]):
    """The request of every handler of this API."""

    def __init__(self, scope: Scope, receive: Receive = empty_receive, send: Send = empty_send) -> None:
        super().__init__(scope, _Bounded(receive).receive, send)

    async def json(self) -> Any:
        check_charset(self)
        try:
            return await super().json()
        except UnicodeDecodeError:
            raise SerializationException("JSON is text in UTF-8, and this is not.") from None
        except RecursionError:
            raise SerializationException("it is nested too deep.") from None


def check_charset(request: Request[Any, Any, Any]) -> None:
    """JSON has no other encoding; one that is announced could make another text of the same bytes, and buy another document."""
    charset = request.content_type[1].get("charset", "utf-8")
    if charset.strip("\"' ").lower() not in ("utf-8", "utf8", "us-ascii"):
        raise HTTPException(status_code=415, detail="JSON is text in UTF-8; no other charset is read.")


class _Bounded:
    """One request's messages. Once its body is whole only its end may come, and that is waited for as long as it takes."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._until = asyncio.get_running_loop().time() + BODY_SECONDS
        self._whole = False

    async def receive(self) -> ReceiveMessage:
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(status_code=408, detail=f"The body did not come within {BODY_SECONDS:g} s.") from None
        self._whole = message["type"] != "http.request" or not message["more_body"]
        return message
