"""What the API answers, in small pieces that a test puts together: an order, an account, an event, a batch, the overview.

Invariant: each has the names and types of the real one, which tests/api/test_terminal.py holds the dashboard against.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tui.client import VERSION

START = datetime(2026, 11, 26, 18, 5, 9, tzinfo=UTC)
BATCH = "5d2c0a10-1111-4222-8333-000000000001"


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
        "test": None,
        **more,
    }


def sign_in_test(outcome: str | None = None, message: str | None = None) -> dict[str, Any]:
    """Asked for two minutes ago; ended one minute ago with an outcome, begun by nobody without one."""
    return {
        "asked_at": at(120),
        "asked_by": "marie",
        "began_at": at(62) if outcome else None,
        "ended_at": at(60) if outcome else None,
        "outcome": outcome,
        "message": message,
        "seconds": 2.2 if outcome else None,
    }


def log_line(seconds: float, level: str, text: str) -> dict[str, Any]:
    """Logged so many seconds before the test begins."""
    return {"at": at(seconds), "host": "bureau", "level": level, "text": text}


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
