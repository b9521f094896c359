"""What goes over the wire about orders. The V2's names, and ours beside them; instants in ISO 8601, UTC.

Invariant: a body with a name that is unknown is refused, since a slip in a name could buy another document.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from registre.document import Source
from registre.job import Event, JobView, Status

Cents = Annotated[int, Meta(description="In cents of Canadian dollars.")]
Instant = Annotated[
    datetime, Meta(tz=True, description="ISO 8601, with its offset.", examples=["2026-12-01T08:00:00-05:00"])
]
ShortText = Annotated[str, Meta(max_length=200)]
Name = Annotated[str, Meta(max_length=100)]


class Wire(Struct):
    """What is answered."""


class Asked(Struct, forbid_unknown_fields=True):
    """What is asked; a name that is not its own is refused."""


class NewExtraction(Asked):
    """One document to order. `index` and `plan_cadastraux` need `cadastre`, `acte` needs `acte_type`."""

    document_source: Source
    document_number: Annotated[
        str, Meta(max_length=30, description="Spaces do not matter.", examples=["2 784 195", "25616321", "24A"])
    ]
    circonscription_fonciere: Annotated[str, Meta(max_length=200, examples=["Montréal"])] | None = None
    cadastre: Annotated[str, Meta(max_length=200, examples=["Cadastre du Québec"])] | None = None
    designation_secondaire: ShortText | None = None
    acte_type: Annotated[str, Meta(max_length=200, examples=["Acte"])] | None = None
    client: (
        Annotated[str, Meta(max_length=100, description="Who orders; the queue is shared fairly between clients.")]
        | None
    ) = None
    priority: Annotated[int, Meta(ge=-1000, le=1000, description="Higher is served first.")] = 0
    max_attempts: Annotated[int, Meta(ge=1, le=20)] = 3
    fresh: Annotated[bool, Meta(description="Buy it even if it is already owned.")] = False
    not_before: Instant | None = None
    deadline: Annotated[Instant, Meta(description="Given up if not started by then.")] | None = None


class Created(Wire):
    """The order that was taken. `estimated_completion` is null when nothing lets it be told."""

    extraction_id: str
    document_source: str
    status: str
    document_number: str
    document_number_normalized: str
    created_at: datetime
    estimated_completion: datetime | None
    supabase_path: str | None
    client: str


class Extraction(Wire):
    """One order."""

    extraction_id: str
    document_source: str
    status: Status
    document_number: str
    document_number_normalized: str
    supabase_path: str | None
    error_message: str | None
    created_at: datetime
    processing_started_at: datetime | None
    worker_id: str | None
    attempts: int
    max_attempts: int
    circonscription_fonciere: str
    cadastre: str
    designation_secondaire: str
    acte_type: str
    client: str
    batch_id: str | None
    priority: int
    error_kind: str | None
    notes: tuple[str, ...]
    cost_cents: Cents
    step: str | None
    next_attempt_at: datetime | None
    wait_reason: str | None
    deadline: datetime | None
    finished_at: datetime | None


class ExtractionPage(Wire):
    """One page, newest first. `total` counts the whole listing, up to 1000 when `total_is_exact` is false."""

    total: int
    total_is_exact: bool
    jobs: tuple[Extraction, ...]
    next_cursor: str | None


class Done(Wire):
    """What was done to one order."""

    message: str
    extraction_id: str


class Fact(Wire):
    """One event; `id` is its cursor."""

    id: str
    at: datetime
    kind: str
    extraction_id: str | None
    data: dict[str, object]


def extraction(job: JobView) -> Extraction:
    request = job.request
    return Extraction(
        extraction_id=job.id,
        document_source=str(request.source),
        status=job.status,
        document_number=request.number,
        document_number_normalized=request.number_normalized,
        supabase_path=job.supabase_path,
        error_message=job.error_message,
        created_at=job.created_at,
        processing_started_at=job.started_at,
        worker_id=job.worker_id,
        attempts=job.attempts,
        max_attempts=job.max_attempts,
        circonscription_fonciere=request.circonscription,
        cadastre=request.cadastre,
        designation_secondaire=request.designation,
        acte_type=request.acte_type,
        client=job.client,
        batch_id=job.batch_id,
        priority=job.priority,
        error_kind=job.error_kind,
        notes=job.notes,
        cost_cents=job.cost_cents,
        step=job.step,
        next_attempt_at=job.next_attempt_at,
        wait_reason=job.wait_reason,
        deadline=job.deadline,
        finished_at=job.finished_at,
    )


def created(job: JobView, estimate: datetime | None) -> Created:
    request = job.request
    return Created(
        extraction_id=job.id,
        document_source=str(request.source),
        status=str(job.status),
        document_number=request.number,
        document_number_normalized=request.number_normalized,
        created_at=job.created_at,
        estimated_completion=estimate,
        supabase_path=job.supabase_path,
        client=job.client,
    )


def fact(event: Event) -> Fact:
    return Fact(id=event.cursor, at=event.at, kind=event.kind, extraction_id=event.job_id, data=event.data)
