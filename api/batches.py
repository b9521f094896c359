"""Batches: many documents ordered at once; priced before, approved, followed, cancelled, fetched as one ZIP.

Invariant: rows that cannot be ordered are told before anything is; without `partial` they keep the whole batch back.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO
from urllib.parse import quote

import msgspec
from anyascii import anyascii
from litestar import Response, Router, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from api import problems
from api.access import needs
from api.batch_body import MAX_CENTS, BatchOperation, Posted, judged_file, judged_json, posted
from api.desk import AnyRequest, IdempotencyKey, UsesStore, answered, batch_id_of, caller_of, once_of, replayed, serves
from api.schemas import Cents, Wire
from registre.access import Role
from registre.batch import BatchView, NewBatch, Quote
from registre.job import Status
from registre.orders.cells import MAX_FILE_BYTES, MAX_ROWS
from registre.orders.export import Exporter
from registre.orders.filenames import portable, shortened
from registre.orders.placing import Judged, for_one_client
from registre.orders.verdicts import valid_client
from registre.plain import plain_text
from registre.repeats import Once, Outcome
from registre.wiring import Store

CHUNK = 64 * 1024
SHOWN = 100
"""Refused rows that a problem tells."""


class Batch(Wire):
    """A batch as it stands. `expected_end` is an estimate in open hours, null when nothing lets it be told."""

    batch_id: str
    name: str
    client: str
    author: str
    created_at: datetime
    price_cents: Cents
    cap_cents: int | None
    waits_for_approval: bool
    approved_at: datetime | None
    approved_by: str | None
    total: int
    waiting: int
    active: int
    completed: int
    failed: int
    spent_cents: Cents
    reserved_cents: Cents
    expected_end: datetime | None


class BatchList(Wire):
    """Newest first."""

    batches: tuple[Batch, ...]


class RefusedRow(Wire):
    row: int
    field: str
    message: str


class GoodRow(Wire):
    """`owned` is the path of a document that serves the order for nothing."""

    row: int
    order: str
    owned: str | None


class BatchTaken(Wire):
    """What was ordered, or with `dry_run` would be; `batch` is null for the latter."""

    dry_run: bool
    batch: Batch | None
    accepted: int
    owned: int
    price_cents: Cents
    needs_approval: bool
    rows: tuple[GoodRow, ...]
    refused: tuple[RefusedRow, ...]


class BatchCancelled(Wire):
    """How many orders are cancelled, or asked to stop."""

    batch_id: str
    cancelled: int


@post(
    "/",
    opt=needs(Role.REQUESTER),
    summary="Order many documents",
    operation_class=BatchOperation,
    request_max_body_size=MAX_FILE_BYTES + 100_000,
    responses=problems.problem_responses(400, 413, 422),
)
async def create_batch(
    request: AnyRequest,
    store: UsesStore,
    idempotency_key: IdempotencyKey = None,
    dry_run: Annotated[bool, QueryParameter(description="Tell verdicts and price; order nothing.")] = False,
    partial: Annotated[bool, QueryParameter(description="Order the good rows although others are refused.")] = False,
    fresh: Annotated[bool, QueryParameter(description="Buy even what is already owned.")] = False,
    name: Annotated[str, QueryParameter(description="What the batch is called.")] = "",
    client: Annotated[str, QueryParameter(description="Of the rows that name none, and of the batch.")] = "",
    cap_cents: Annotated[
        int | None, QueryParameter(ge=0, le=MAX_CENTS, description="What it may cost at most.")
    ] = None,
    sheet: Annotated[str | None, QueryParameter(description="Of a workbook; else the first one with a header.")] = None,
) -> Response[BatchTaken]:
    """As JSON or as a file. Above the threshold of the rules nothing is bought before a person approves."""
    body = await posted(request)
    said = Said(dry_run, partial, fresh, body.told.get("name", name), body.told.get("client", client), cap_cents, sheet)
    once = once_of(request, idempotency_key, body.content, msgspec.json.encode(said))
    return await asyncio.to_thread(_take, store, body, said, caller_of(request).name, once)


class Said(msgspec.Struct, frozen=True):
    """What the address and the form say of the batch."""

    dry_run: bool
    partial: bool
    fresh: bool
    name: str
    client: str
    cap_cents: int | None
    sheet: str | None


def _take(store: Store, body: Posted, said: Said, author: str, once: Once | None) -> Response[BatchTaken]:
    known = store.repeatable.recall(once) if once is not None and not said.dry_run else None
    if known is not None and known.answer is not None:
        return replayed(known.answer, BatchTaken)
    now, client = datetime.now(UTC), valid_client(said.client)
    name, cap = said.name, said.cap_cents
    if body.is_json:
        read, judged = judged_json(body.content, said.fresh, client)
        name, client = read.name or name, valid_client(read.client or client)
        cap = cap if read.cap_cents is None else read.cap_cents
    else:
        judged = judged_file(body.content, said.sheet, said.fresh, client, now)
    name = plain_text(name, "name", 100).strip() or f"batch of {now:%Y-%m-%d %H:%M}"
    batch = for_one_client(NewBatch(name, client, author, cap), judged.orders)
    if not said.dry_run and (not judged.accepted or (judged.rejected and not said.partial)):
        return _refused(judged)
    quote = store.batches.quote(judged.orders)
    if said.dry_run:
        return Response(_taken(judged, quote, None), status_code=200)
    if once is None:
        return Response(_taken(judged, quote, store.batches.submit(batch, judged.orders)), status_code=201)
    outcome = store.repeatable.submit_batch(once, batch, judged.orders)
    return answered(
        store.repeatable, once, outcome, BatchTaken, lambda: _taken(judged, quote, _batch_of(store, outcome))
    )


def _batch_of(store: Store, outcome: Outcome) -> BatchView:
    assert outcome.batch_id is not None, "a key is bound to its path, and this one's orders batches"
    return store.batches.get(outcome.batch_id)


@get("/", summary="List batches", **serves(Role.VIEWER, 400))
def list_batches(
    store: UsesStore, limit: Annotated[int, QueryParameter(ge=1, le=500, description="How many.")] = 50
) -> BatchList:
    return BatchList(batches=tuple(batch_of(view) for view in store.batches.all(limit)))


@get("/{batch_id:str}", summary="How a batch stands", **serves(Role.VIEWER, 404))
def read_batch(batch_id: FromPath[str], store: UsesStore) -> Batch:
    return batch_of(store.batches.get(batch_id_of(batch_id)))


@post(
    "/{batch_id:str}/approve",
    status_code=200,
    summary="Let a batch that waits for approval begin",
    **serves(Role.OPERATOR, 404, 409),
)
def approve_batch(batch_id: FromPath[str], request: AnyRequest, store: UsesStore) -> Batch:
    known = batch_id_of(batch_id)
    store.batches.approve(known, caller_of(request).name)
    return batch_of(store.batches.get(known))


@post(
    "/{batch_id:str}/cancel",
    status_code=200,
    summary="Cancel every order that is not being bought",
    **serves(Role.OPERATOR, 404, 409),
)
def cancel_batch(
    batch_id: FromPath[str],
    request: AnyRequest,
    store: UsesStore,
    expected: Annotated[
        int | None,
        QueryParameter(ge=0, le=MAX_ROWS, description="How many orders of it have not ended, as the caller saw it."),
    ] = None,
) -> BatchCancelled:
    """With `expected` it is refused, and nothing done, when there are now more or fewer."""
    known = batch_id_of(batch_id)
    cancelled = store.batches.cancel(known, caller_of(request).name, expected=expected)
    return BatchCancelled(batch_id=known, cancelled=cancelled)


@get(
    "/{batch_id:str}/documents.zip",
    media_type="application/zip",
    summary="Its documents and their manifest",
    **serves(Role.VIEWER, 404),
)
def export_batch(batch_id: FromPath[str], store: UsesStore) -> Stream:
    """One ZIP, made whole before its first byte is sent."""
    known = batch_id_of(batch_id)
    view = store.batches.get(known)
    exporter = Exporter(store.views, store.ledger, store.bucket)
    # The folder is gone before the first byte: a reader who never begins, or leaves, leaves nothing on the disk.
    with tempfile.TemporaryDirectory(prefix="registre-zip-") as folder:
        whole = Path(folder, "batch.zip")
        exported = exporter.write(exporter.orders(known), whole, replace=False)
        file = whole.open("rb")
    name = shortened(portable(f"batch {view.name}"), 100, 200) + ".zip"
    plain = anyascii(name).replace('"', "'").replace("\\", "-")
    return Stream(
        _parts(file),
        media_type="application/zip",
        headers={
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}",
            "Content-Length": str(os.fstat(file.fileno()).st_size),
            "Registre-Documents": str(exported.documents),
            "Registre-Amiss": str(exported.amiss),
        },
    )


def _parts(file: BinaryIO) -> Iterator[bytes]:
    """The file in parts; it is closed with the last one, or with a reader who leaves."""
    with file:
        while part := file.read(CHUNK):
            yield part


def batch_of(view: BatchView) -> Batch:
    return Batch(
        batch_id=view.id,
        name=view.name,
        client=view.client,
        author=view.author,
        created_at=view.created_at,
        price_cents=view.price_cents,
        cap_cents=view.cap_cents,
        waits_for_approval=view.waits_for_approval,
        approved_at=view.approved_at,
        approved_by=view.approved_by,
        total=view.total,
        waiting=view.counts[Status.WAITING],
        active=view.counts[Status.RUNNING],
        completed=view.counts[Status.DONE],
        failed=view.counts[Status.FAILED],
        spent_cents=view.spent_cents,
        reserved_cents=view.reserved_cents,
        expected_end=view.done_at,
    )


def _taken(judged: Judged, quote: Quote, batch: BatchView | None) -> BatchTaken:
    return BatchTaken(
        dry_run=batch is None,
        batch=batch_of(batch) if batch is not None else None,
        accepted=len(judged.accepted),
        owned=sum(path is not None for path in quote.owned),
        price_cents=quote.price_cents,
        needs_approval=quote.needs_approval,
        rows=tuple(
            GoodRow(row=verdict.row, order=verdict.order.request.title, owned=path)
            for verdict, path in zip(judged.accepted, quote.owned, strict=True)
        ),
        refused=tuple(
            RefusedRow(
                row=verdict.row, field=verdict.field, message=problems.without_field(verdict.field, verdict.sentence)
            )
            for verdict in judged.rejected
        ),
    )


def _refused(judged: Judged) -> Response[BatchTaken]:
    details = [
        problems.Detail(f"row {verdict.row}: {verdict.field}", problems.without_field(verdict.field, verdict.sentence))
        for verdict in judged.rejected[:SHOWN]
    ]
    told = (
        f"{len(judged.rejected)} of {len(judged.rejected) + len(judged.accepted)} rows cannot be ordered; nothing was."
    )
    return problems.problem(400, "invalid-input", "Something in the request must be mended", told, *details)  # type: ignore[return-value]


ROUTER = Router(
    "/api/batches",
    route_handlers=[create_batch, list_batches, read_batch, approve_batch, cancel_batch, export_batch],
    request_max_body_size=100_000,
    tags=["batches"],
)
