"""The API as the terminal dashboard sees it, without a server: what it answers is set by the test, what it was asked is kept.

Invariant: its answers have the names and types of the real one, which tests/api/test_terminal.py holds the dashboard against; its
clock moves when the test says so.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tui.client import VERSION

KEY = "registre_0badcafe_" + "x" * 43
START = datetime(2026, 11, 26, 18, 5, 9, tzinfo=UTC)
BATCH = "5d2c0a10-1111-4222-8333-000000000001"


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


def at(seconds: float) -> str:
    """So many seconds before the test begins."""
    return (START - timedelta(seconds=seconds)).isoformat()


def job(number: int, status: str = "Complété", **more: Any) -> dict[str, Any]:
    return {
        "extraction_id": f"{number:08x}-aaaa-4bbb-8ccc-dddddddddddd",
        "document_source": "index",
        "status": status,
        "document_number": f"2 784 {number:03}",
        "document_number_normalized": f"2784{number:03}",
        "supabase_path": f"index/2784{number:03}.pdf" if status == "Complété" else None,
        "error_message": "Aucun résultat pour ce lot." if status == "Erreur" else None,
        "created_at": at(600 + number),
        "processing_started_at": at(42) if status == "En traitement" else None,
        "worker_id": "bureau/99T0001" if status in ("En traitement", "Erreur") else None,
        "attempts": 0 if status == "En attente" else 1,
        "max_attempts": 3,
        "circonscription_fonciere": "Montréal",
        "cadastre": "Cadastre du Québec",
        "designation_secondaire": "",
        "acte_type": "",
        "client": "Étude Tremblay",
        "batch_id": None,
        "priority": 0,
        "error_kind": "not_found" if status == "Erreur" else None,
        "notes": [],
        "cost_cents": 150 if status == "Complété" else 0,
        "step": "waiting for the viewer" if status == "En traitement" else None,
        "next_attempt_at": None,
        "wait_reason": None,
        "deadline": None,
        "finished_at": at(60) if status in ("Complété", "Erreur") else None,
        **more,
    }


def account(number: int, state: str = "signed in", work: str | None = "idle", **more: Any) -> dict[str, Any]:
    name = f"99T{number:04}"
    return {
        "username": name,
        "state": state,
        "reason": None,
        "until": None,
        "lease_owner": "bureau/boot-1" if work else None,
        "last_used": at(90),
        "failure_count": 0,
        "worker_id": f"bureau/{name}" if work else None,
        "work": work,
        "since": at(245) if work else None,
        "current_job_id": None,
        "step": None,
        "documents_today": 4,
        "cost_today_cents": 600,
        **more,
    }


def fact(number: int, kind: str = "job.step", extraction_id: str | None = None, /, **data: Any) -> dict[str, Any]:
    return {
        "id": f"{number}-0-{number}",
        "at": at(30 - number % 30),
        "kind": kind,
        "extraction_id": extraction_id,
        "data": data,
    }


def overview(*accounts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "at": at(0),
        "version": VERSION,
        "queue": {"waiting": 0, "active": 0, "completed": 0, "failed": 0},
        "oldest_waiting_at": None,
        "expected_end": None,
        "waiting_because": None,
        "gates": {"closed": [], "pauses": []},
        "accounts": list(accounts),
        "today": {
            "documents": 0,
            "spent_cents": 0,
            "ambiguous": 0,
            "ambiguous_cents": 0,
            "reserved_cents": 0,
            "cap_cents": None,
        },
        "last_answer_at": None,
        "idle_limit_seconds": None,
        "attempt_seconds": 900.0,
        **more,
    }


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
        running = job(7, "En traitement")
        self.jobs = [running, job(6, "En attente", wait_reason="the site was away"), job(5, "Erreur")]
        self.jobs += [job(number) for number in (4, 3, 2, 1)]
        accounts = [
            account(1, work="busy", current_job_id=running["extraction_id"], step="waiting for the viewer"),
            account(2),
            account(3, "set aside", None, reason="Le site a refusé le mot de passe.", failure_count=1),
        ]
        self.answers["/api/overview"] = overview(
            *accounts,
            queue={"waiting": 12, "active": 1, "completed": 340, "failed": 3},
            oldest_waiting_at=at(245),
            expected_end=at(-1800),
            waiting_because="every account is at work",
            gates={
                "closed": [],
                "pauses": [],
            },
            today={
                "documents": 12,
                "spent_cents": 1800,
                "ambiguous": 1,
                "ambiguous_cents": 150,
                "reserved_cents": 150,
                "cap_cents": 5000,
            },
            last_answer_at=at(3),
            idle_limit_seconds=1200,
        )
        self.answers["/api/accounts"] = {"accounts": accounts}
        self.answers["/api/hosts"] = {
            "hosts": [
                {
                    "host": "bureau",
                    "version": VERSION,
                    "seen_at": at(4),
                    "undelivered": 1,
                    "oldest_undelivered_at": at(9),
                }
            ]
        }
        self.answers["/api/hours"] = {
            "hours": [{"weekday": day, "opens": "08:00:00", "closes": "22:00:00"} for day in range(1, 6)],
            "holidays": [],
        }
        beats = [
            {"at": at(60 * (60 - n)), "completed": n % 7, "failed": 0, "p50_seconds": 4.0, "p95_seconds": 9.0}
            for n in range(60)
        ]
        self.answers["/api/pulse"] |= {
            "completed": 177,
            "failed": 2,
            "p50_seconds": 4.2,
            "p95_seconds": 9.7,
            "beats": beats,
        }
        self.answers["/api/failures"] = {
            "causes": [
                {
                    "error_kind": "not_found",
                    "jobs": 2,
                    "is_exact": True,
                    "source": "index",
                    "message": "Aucun résultat pour ce lot.",
                    "at": at(60),
                },
                {
                    "error_kind": "ambiguous_purchase",
                    "jobs": 1,
                    "is_exact": True,
                    "source": "acte",
                    "message": "It may be billed, and its file is not here.",
                    "at": at(4000),
                },
            ]
        }
        self.answers["/api/batches"] = {"batches": [self.batch(), self.batch("Dossier 13", "02", waits=True)]}
        line = {"ambiguous": 1, "ambiguous_cents": 150, "reserved": 1, "reserved_cents": 150, "reused": 5}
        self.answers["/api/costs"]["lines"] = [{"key": "2026-11-26", "documents": 12, "documents_cents": 1800, **line}]
        self.answers["/api/budgets"] = {
            "budgets": [{"scope": "site", "name": "", "period": "day", "cap_cents": 5000, "used_cents": 1950}]
        }
        first = running["extraction_id"]
        self.history = [
            fact(1, "host.started", host="bureau", version=VERSION),
            fact(2, "job.submitted", first, number="2 784 007", source="index"),
            fact(3, "job.leased", first, worker="bureau/99T0001"),
            fact(4, "job.step", first, step="waiting for the viewer"),
            fact(5, "job.failed", job(5)["extraction_id"], kind="not_found"),
        ]
        for order in self.jobs:
            self._story(order)
        return self

    @staticmethod
    def batch(name: str = "Dossier 12", end: str = "01", *, waits: bool = False) -> dict[str, Any]:
        return {
            "batch_id": BATCH[:-2] + end,
            "name": name,
            "client": "Étude Tremblay",
            "author": "marie",
            "created_at": at(5000),
            "price_cents": 4500,
            "cap_cents": None,
            "waits_for_approval": waits,
            "approved_at": None,
            "approved_by": None,
            "total": 30,
            "waiting": 30 if waits else 12,
            "active": 0 if waits else 1,
            "completed": 0 if waits else 15,
            "failed": 0 if waits else 2,
            "spent_cents": 0 if waits else 2250,
            "reserved_cents": 0,
            "expected_end": None if waits else at(-1800),
        }

    def _story(self, order: dict[str, Any]) -> None:
        path = f"/api/extractions/{order['extraction_id']}"
        is_done = order["status"] == "Complété"
        self.answers[f"{path}/attempts"] = {
            "attempts": [
                {
                    "number": 1,
                    "owner": "bureau/boot-1",
                    "account": "99T0001",
                    "started_at": at(42),
                    "ended_at": at(38) if is_done else None,
                    "ending": "secured" if is_done else None,
                    "error_kind": None,
                    "message": None,
                    "evidence": "/var/lib/registre/evidence/1",
                }
            ]
        }
        purchase = {
            "id": "p",
            "state": "delivered" if is_done else "intended",
            "fee_cents": 150,
            "account": "99T0001",
            "intended_at": at(41),
            "charged_at": at(40) if is_done else None,
            "secured_at": at(39) if is_done else None,
            "delivered_at": at(38) if is_done else None,
            "sha256": "c" * 64 if is_done else None,
            "size_bytes": 2001 if is_done else None,
            "pages": 2 if is_done else None,
            "reason": None,
        }
        self.answers[f"{path}/ledger"] = {"lines": [purchase]}
        self.answers[f"{path}/events"] = {
            "events": [f for f in self.history if f["extraction_id"] == order["extraction_id"]]
        }
        self.answers[f"{path}/why"] = {
            "extraction_id": order["extraction_id"],
            "reason": "it is being worked on by bureau/99T0001",
        }

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
            return self.batch()
        if path.endswith("/cancel"):
            return {"batch_id": BATCH, "cancelled": 13}
        if path.startswith("/api/accounts"):
            return account(4, "free", None)
        raise AssertionError(f"nobody should have asked for {path}")
