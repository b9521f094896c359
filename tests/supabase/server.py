"""A stand-in for a Supabase project, on loopback, for the unmodified supabase-py.

Invariant: it answers as the real servers were measured to (tests/supabase/test_golden.py holds the tables), and shares nothing
with what it stands in for: only HTTP leads to it.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from types import TracebackType
from typing import Any, Self

from litestar import Litestar
from litestar.types import HTTPScope, Receive, Send

from registre.project import Project
from registre.serving import Server, listen
from tests.supabase.rest import RestService
from tests.supabase.storage import StorageService

SECRET_KEY = "sb_secret_a-made-up-key-of-the-stand-in"
EXPIRED_KEY = "eyJ-a-made-up-token-that-has-expired"


class StandIn:
    """`with StandIn(dsn) as supabase: … supabase.project`. `faults` are taken one per request, first come first served:
    a status, 'cut', 'silent' or 'html'."""

    def __init__(self, dsn: str | None = None) -> None:
        self.storage = StorageService(SECRET_KEY)
        self.rest = RestService(dsn)
        self.faults: deque[int | str] = deque()
        self.requests: list[tuple[str, str]] = []
        self._silence_ends = threading.Event()
        self._app = Litestar(
            [*self.storage.routes(), *self.rest.routes()], openapi_config=None, logging_config=None, debug=False
        )

    def __enter__(self) -> Self:
        listening = listen("127.0.0.1", 0, "The stand-in")
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.project = Project(self.url, SECRET_KEY)
        ready = threading.Event()
        self._server = Server(self, listening, ready=ready.set, stopping=self._silence_ends.set)
        self._thread = threading.Thread(target=self._server.run_here, name="supabase", daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._silence_ends.set()
        self._server.stop()
        self._thread.join()
        self.rest.close()

    def with_key(self, key: str) -> Project:
        return Project(self.url, key)

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """The gateway in front of both services: faults first, then keys."""
        self.requests.append((scope["method"], scope["path"]))
        if self.faults:
            await self._fail(self.faults.popleft(), send)
            return
        refused = self._refusal(scope)
        if refused is not None:
            await _answer(send, *refused)
            return
        await self._app(scope, receive, send)

    async def _fail(self, fault: int | str, send: Send) -> None:
        match fault:
            case "cut":
                await _answer(send, 200, b"short", length=1000)
            case "html":
                await _answer(send, 200, b"<html>Sign in to the hotel's network</html>")
            case "silent":
                import anyio.to_thread

                await anyio.to_thread.run_sync(self._silence_ends.wait)
            case int():
                await _answer(send, fault, b"<html>upstream failure</html>")

    @staticmethod
    def _refusal(scope: HTTPScope) -> tuple[int, bytes] | None:
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        if scope["path"].startswith("/storage/v1/object/sign/") and scope["method"] == "GET":
            return None
        if "authorization" not in headers:
            return 400, _body(
                statusCode="400", error="Error", message="headers must have required property 'authorization'"
            )
        token = headers["authorization"].removeprefix("Bearer ")
        if token == EXPIRED_KEY:
            if scope["path"].startswith("/storage"):
                said = '"exp" claim timestamp check failed'
                return 400, _body(statusCode="403", error="Unauthorized", message=said, code="InvalidJWT")
            return 401, _body(code="PGRST303", details=None, hint=None, message="JWT expired")
        if token != SECRET_KEY:
            return 401, _body(message="Invalid API key", hint="Double check your Supabase API key.")
        return None


def _body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


async def _answer(send: Send, status: int, body: bytes, *, length: int | None = None) -> None:
    headers = [
        (b"content-type", b"application/json" if body.startswith(b"{") else b"text/html"),
        (b"content-length", str(length or len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
