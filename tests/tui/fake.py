"""The API as the terminal dashboard sees it, without a server: what it answers is set by the test, what it was asked is kept.

Invariant: its answers have the names and types of the real one, which tests/api/test_terminal.py holds the dashboard against; its
clock moves when the test says so.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.tui.day import begin_day
from tests.tui.samples import BATCH, START, account, batch, overview
from tui.client import VERSION

KEY = "registre_0badcafe_" + "x" * 43


class Clock:
    """Both of the dashboard's clocks."""

    def __init__(self) -> None:
        self.gone = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.gone)

    def monotonic(self) -> float:
        return self.gone

    def advance(self, seconds: float) -> None:
        self.gone += seconds


class _Stream(httpx.AsyncByteStream):
    """One connection to /api/events."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"retry: 1000\n\n"
        while (said := await self.said.get()) is not None:
            yield said
        raise httpx.ReadError("cut")


class FakeApi:
    """Starts empty; `busy` fills it. What is under `answers` may be changed at any time."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.role = "admin"
        self.version = VERSION
        self.is_down = False
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.refusals: dict[tuple[str, str], httpx.Response] = {}
        self.jobs: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []
        self.resumed_after: list[str | None] = []
        self._streams: list[_Stream] = []
        self.loops: list[asyncio.AbstractEventLoop] = []
        """Of each stream the loop it is in."""
        self.answers: dict[str, Any] = {
            "/api/overview": overview(),
            "/api/hosts": {"hosts": []},
            "/api/undelivered": {"failing": []},
            "/api/alerts": {"alerts": []},
            "/api/hours": {"hours": [], "holidays": []},
            "/api/pulse": {
                "span": "hour",
                "step_seconds": 60,
                "completed": 0,
                "failed": 0,
                "p50_seconds": None,
                "p95_seconds": None,
                "beats": [],
            },
            "/api/failures": {"causes": []},
            "/api/accounts": {"accounts": []},
            "/api/batches": {"batches": []},
            "/api/costs": {"first": "2026-11-01", "last": "2026-11-26", "by": "day", "lines": []},
            "/api/budgets": {"budgets": []},
            "/api/fees": {"fees": [{"source": "*", "valid_from": "2000-01-01", "cents": 150}]},
        }
        self.transport = httpx.MockTransport(self._answer)

    # -- what happens

    def busy(self) -> FakeApi:
        """A fleet of three at work, with something of everything."""
        begin_day(self)
        return self

    def push(self, *facts: dict[str, Any]) -> None:
        """These happen now: every listener is told."""
        text = b"".join(f"id: {f['id']}\nevent: {f['kind']}\ndata: {json.dumps(f)}\n\n".encode() for f in facts)
        for stream in self._streams:
            stream.said.put_nowait(text)

    def cut(self) -> None:
        """The server dies: its connections end, and nothing answers until `is_down` is false again."""
        self.is_down = True
        for stream in self._streams:
            stream.said.put_nowait(None)
        self._streams.clear()
        self.loops.clear()

    def asked_for(self, method: str, path: str) -> list[Any]:
        """The bodies or parameters of these requests."""
        return [body if body is not None else given for m, p, given, body in self.asked if (m, p) == (method, path)]

    # -- what it answers

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("refused")
        path, given = request.url.path, dict(request.url.params)
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, path, given, body))
        if request.headers.get("x-api-key") != KEY:
            return httpx.Response(401, json={"detail": "This key is unknown or revoked."})
        if (refused := self.refusals.get((request.method, path))) is not None:
            return refused
        if path == "/api/events":
            self.resumed_after.append(request.headers.get("last-event-id"))
            self._streams.append(_Stream())
            self.loops.append(asyncio.get_running_loop())
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self._streams[-1])
        return httpx.Response(200, json=self._json(request.method, path, given, body))

    def _json(self, method: str, path: str, given: dict[str, str], body: Any) -> Any:
        if method != "GET":
            return self._changed(path, body)
        if path == "/api":
            return {"name": "registre", "version": self.version, "documentation": "/docs", "endpoints": []}
        if path == "/api/caller":
            return {"name": "marie", "role": self.role}
        if path == "/api/history":
            return {"events": self.history, "next_after": ""}
        if path == "/api/extractions":
            return self._page(given)
        known = {f"/api/extractions/{order['extraction_id']}": order for order in self.jobs}
        return known.get(path) or self.answers[path]

    def _page(self, given: dict[str, str]) -> Any:
        words = {"queued": "En attente", "processing": "En traitement", "completed": "Complété", "failed": "Erreur"}
        status, begin, limit = words.get(given.get("status", "")), int(given.get("cursor", 0)), int(given["limit"])
        found = [order for order in self.jobs if status in (None, order["status"])]
        if given.get("sort") == "created_at":
            found.reverse()
        if "text" in given:
            found = [order for order in found if order["document_number_normalized"] == given["text"]]
        more = begin + limit < len(found)
        return {
            "total": len(found),
            "total_is_exact": True,
            "jobs": found[begin : begin + limit],
            "next_cursor": str(begin + limit) if more else None,
        }

    def _changed(self, path: str, body: Any) -> Any:
        if path == "/api/extractions/bulk":
            ids = body.get("ids") or [order["extraction_id"] for order in self.jobs if order["status"] == "Erreur"]
            return {"dry_run": bool(body.get("dry_run")), "matched": len(ids), "done": ids, "refused": []}
        if path == "/api/pauses":
            return {"was_closed": True} if body is None else {"closed": [], "pauses": []}
        if path.endswith("/settle"):
            return {"message": "It is ordered anew", "extraction_id": ""}
        if path.endswith("/approve"):
            return batch()
        if path.endswith("/cancel"):
            return {"batch_id": BATCH, "cancelled": 13}
        if path.startswith("/api/accounts"):
            return account(4, "free", None)
        raise AssertionError(f"nobody should have asked for {path}")
