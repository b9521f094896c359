"""Orders, as the V2 promised them: create, read, list, retry, cancel.

Invariant: the V2's paths, statuses and keys stay as they were; what is ours is beside them.
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, Router, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery, JSONBody, PathParameter, QueryParameter

from api import paging, problems
from api.access import needs
from api.desk import (
    STATUSES,
    AnyRequest,
    IdempotencyKey,
    UsesStore,
    answered,
    caller_of,
    filter_of,
    job_id_of,
    once_of,
    order_of,
)
from api.schemas import Created, Done, Extraction, ExtractionPage, NewExtraction, created, extraction
from registre.access import Role
from registre.document import Source
from registre.job import JobFilter

COUNTED = 1000
"""How far a listing is counted that is more than one status."""

ExtractionId = Annotated[str, PathParameter(description="The order's id.")]

_INVALID = {400: ResponseSpec(problems.ValidationError, generate_examples=False, description="What must be mended.")}
_MISSING = {404: ResponseSpec(problems.PlainError, generate_examples=False, description="No order has this id.")}
_REFUSED = {409: ResponseSpec(problems.PlainError, generate_examples=False, description="A rule forbids it now.")}


@post(
    "/",
    sync_to_thread=True,
    opt=needs(Role.REQUESTER),
    summary="Order a document",
    responses={**problems.problem_responses(413, 422), **_INVALID},
)
def create_extraction(
    data: JSONBody[NewExtraction], request: AnyRequest, store: UsesStore, idempotency_key: IdempotencyKey = None
) -> Response[Created]:
    """An order whose document is owned and current is completed at once, and costs nothing."""
    once = once_of(request, idempotency_key, data)
    if once is None:
        job_id = store.queue.submit([order_of(data)])[0]
        return Response(created(store.views.job(job_id), store.views.expected_end()), status_code=201)
    outcome = store.repeatable.recall(once) or store.repeatable.submit(once, [order_of(data)])
    return answered(
        store.repeatable,
        once,
        outcome,
        Created,
        lambda: created(store.views.job(outcome.jobs[0]), store.views.expected_end()),
    )


@get(
    "/",
    sync_to_thread=True,
    opt=needs(Role.VIEWER),
    summary="List orders",
    responses={**problems.problem_responses(), **_INVALID},
)
def list_extractions(
    store: UsesStore,
    status: Annotated[str, QueryParameter(description=", ".join(STATUSES))] = "all",
    limit: Annotated[int, QueryParameter(ge=1, le=paging.MOST)] = 100,
    cursor: Annotated[str | None, QueryParameter(description="The next_cursor of the page before.")] = None,
    source: FromQuery[Source | None] = None,
    client: FromQuery[str | None] = None,
    batch: FromQuery[str | None] = None,
    error_kind: Annotated[str | None, QueryParameter(description="Such as not_found or ambiguous_purchase.")] = None,
    circonscription: Annotated[str | None, QueryParameter(description="As it was ordered, such as Montréal.")] = None,
    text: Annotated[str | None, QueryParameter(description="A document's number, whole; spaces do not matter.")] = None,
) -> ExtractionPage:
    """Newest first."""
    wanted = filter_of(status, source, client, batch, error_kind, circonscription, text)
    page = store.views.page(wanted, paging.read(cursor), limit)
    total, exact = total_of(store, wanted)
    return ExtractionPage(
        total=total,
        total_is_exact=exact,
        jobs=tuple(extraction(job) for job in page.jobs),
        next_cursor=paging.shown(page.next_cursor),
    )


def total_of(store: Any, wanted: JobFilter) -> tuple[int, bool]:
    """How many the listing holds, and whether that is all of them: a status is counted as it changes, all else by counting."""
    if wanted == JobFilter(status=wanted.status):
        counts = store.views.counts()
        return (sum(counts.values()) if wanted.status is None else counts[wanted.status]), True
    counted = store.views.count(wanted, COUNTED)
    return counted, counted < COUNTED


@get(
    "/{extraction_id:str}",
    sync_to_thread=True,
    opt=needs(Role.VIEWER),
    summary="Read an order",
    responses={**problems.problem_responses(), **_INVALID, **_MISSING},
)
def read_extraction(extraction_id: ExtractionId, store: UsesStore) -> Extraction:
    return extraction(store.views.job(job_id_of(extraction_id)))


@post(
    "/{extraction_id:str}/retry",
    sync_to_thread=True,
    status_code=200,
    opt=needs(Role.REQUESTER),
    summary="Retry a failed order",
    responses={**problems.problem_responses(), **_INVALID, **_MISSING, **_REFUSED},
)
def retry_extraction(extraction_id: ExtractionId, request: AnyRequest, store: UsesStore) -> Done:
    """With fresh attempts. Refused for one that did not fail, and while its document may be bought already."""
    job_id = job_id_of(extraction_id)
    store.queue.requeue(job_id, caller_of(request).name)
    return Done(message="Extraction job queued again", extraction_id=job_id)


@delete(
    "/{extraction_id:str}",
    sync_to_thread=True,
    status_code=200,
    opt=needs(Role.REQUESTER),
    summary="Cancel an order",
    responses={**problems.problem_responses(), **_INVALID, **_MISSING, **_REFUSED},
)
def cancel_extraction(extraction_id: ExtractionId, request: AnyRequest, store: UsesStore) -> Done:
    """One that is at work is asked to stop, and does unless its document is being bought."""
    job_id = job_id_of(extraction_id)
    outcome = store.queue.cancel(job_id, caller_of(request).name)
    told = "Extraction job cancelled" if outcome == "cancelled" else "Extraction job asked to stop"
    return Done(message=told, extraction_id=job_id)


ROUTER = Router(
    "/api/extractions",
    route_handlers=[create_extraction, list_extractions, read_extraction, retry_extraction, cancel_extraction],
    exception_handlers=problems.EXTRACTION_HANDLERS,
    request_max_body_size=100_000,
    tags=["extractions"],
)
