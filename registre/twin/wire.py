"""What befalls an answer on its way out: it never leaves, its connection is reset before it, or ends within it.

Invariant: the page has done its work before, billing included: the worst that can happen to whoever asked.
"""

from __future__ import annotations

import socket
import struct
from enum import StrEnum
from typing import Any, cast

from litestar.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from registre.twin.core import Twin

_SLOT = "registre.twin.trouble"
_RESET_AT_ONCE = struct.pack("ii", 1, 0)
_WISH_TO_CLOSE = b"\r\nConnection: close\r\n"


class Trouble(StrEnum):
    """The faults that befall an answer, by their names."""

    HANG = "hang"
    RESET = "reset"
    CUT = "cut"


def order_trouble(scope: Any, trouble: Trouble) -> None:
    """Let it befall the answer to the request of this scope."""
    scope[_SLOT].append(trouble)


class Wire:
    """The twin's application under uvicorn, with troubled answers."""

    def __init__(self, app: ASGIApp, twin: Twin) -> None:
        self._app = app
        self._twin = twin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ordered: list[Trouble] = []
        cast(dict[str, Any], scope)[_SLOT] = ordered
        head: list[Message] = []

        async def troubled(message: Message) -> None:
            if not ordered:
                await send(message)
            elif message["type"] == "http.response.start":
                head.append(message)
                if ordered[0] is Trouble.HANG:
                    await self._twin.pause(None)
            elif ordered[0] is Trouble.HANG:
                await send(head.pop())
                await send(message)
            elif head:
                await _break_off(ordered[0], head.pop(), message, send)
                await _goodbye(receive)

        await self._app(scope, receive, cast(Send, troubled))


async def _break_off(trouble: Trouble, head: Message, message: Message, send: Send) -> None:
    cycle = cast(RequestResponseCycle, getattr(send, "__self__", None))
    body = cast(dict[str, Any], message).get("body", b"")
    if trouble is Trouble.CUT and body:
        await send(head)
        await send(cast(Message, {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}))
        cycle.transport.close()  # what was sent leaves first
        return
    connection = cycle.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
    cycle.transport.abort()


async def _goodbye(receive: Receive) -> None:
    """Until uvicorn knows the connection is gone: it would else complain of an answer without an end."""
    while (await receive())["type"] != "http.disconnect":
        pass


def protocol_of(twin: Twin) -> type[H11Protocol]:
    """HTTP as uvicorn speaks it, but for `keep_connections`: deaf to a wish to close the connection after an answer."""

    class Protocol(H11Protocol):
        def data_received(self, data: bytes) -> None:
            if twin.faults.take("keep_connections"):
                data = data.replace(_WISH_TO_CLOSE, b"\r\n")
            super().data_received(data)

    return Protocol
