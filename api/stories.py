"""What is known of one order beyond its row: attempts, events, ledger, why it waits; its document; and many orders at once.

Invariant: a document is given out only when its bytes are those that were bought.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from anyascii import anyascii
from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from api.desk import AnyRequest, UsesStore, caller_of, filter_of, job_id_of, serves
from api.schemas import Asked, Cents, Done, Fact, Wire, fact
from registre.access import Role
from registre.document import Source
from registre.errors import InvalidInput, NotFound, Refused
from registre.job import JobFilter, JobId, JobView, Settlement
from registre.ledger import LedgerLine, PurchaseState
from registre.operations import Bulk, BulkAction
from registre.orders.filenames import FileNames
from registre.wiring import Store


class Attempt(Wire):
    """One lease of the order, from start to end. `evidence` is where it lies on the host that made it."""

    number: int
    owner: str
    account: str
    started_at: datetime
    ended_at: datetime | None
    ending: str | None
    error_kind: str | None
    message: str | None
    evidence: str | None


class Attempts(Wire):
    attempts: tuple[Attempt, ...]


class Facts(Wire):
    """Oldest first."""

    events: tuple[Fact, ...]


class LogLine(Wire):
    """What a worker logged about the order; `level` is INFO, WARNING or ERROR."""

    at: datetime
    host: str
    level: str
    text: str


class Log(Wire):
    """Oldest first: the newest 200 of the last 30 days. A line is here some two seconds after it was logged."""

    lines: tuple[LogLine, ...]


class Purchase(Wire):
    """One line of the ledger."""

    id: str
    state: PurchaseState
    fee_cents: Cents
    account: str
    intended_at: datetime
    charged_at: datetime | None
    secured_at: datetime | None
    delivered_at: datetime | None
    sha256: str | None
    size_bytes: int | None
    pages: int | None
    reason: str | None


class Ledger(Wire):
    lines: tuple[Purchase, ...]


class Why(Wire):
    """In one line, the reason the dispatcher acted on."""

    extraction_id: str | None
    reason: str


class Choice(Asked):
    """Which orders are meant: those of a listing."""

    status: str = "all"
    source: Source | None = None
    client: str | None = None
    batch: str | None = None
    error_kind: str | None = None
    circonscription: str | None = None
    text: str | None = None


class BulkAsked(Asked):
    """One thing done to many orders: those named by `ids`, or those of a listing (`filter`). `expected` is how many the caller
    saw; when there are now more or fewer, nothing is done."""

    action: BulkAction
    expected: Annotated[int, Meta(ge=0, le=10_000)]
    ids: Annotated[list[str], Meta(max_length=10_000)] | None = None
    filter: Choice | None = None
    dry_run: bool = False


class NotDone(Wire):
    extraction_id: str
    reason: str


class BulkDone(Wire):
    """`done` were changed, or would be; `refused` say why they were not."""

    dry_run: bool
    matched: int
    done: tuple[str, ...]
    refused: tuple[NotDone, ...]


class SettleAsked(Asked):
    """`billed` false: the registry's invoice does not show the document, so that its fee is given back."""

    decision: Settlement
    billed: bool = True


@get("/{extraction_id:str}/attempts", summary="Its attempts", **serves(Role.VIEWER, 404))
def attempts(extraction_id: FromPath[str], store: UsesStore) -> Attempts:
    job_id = _known(store, extraction_id).id
    found = store.views.attempts(job_id)
    return Attempts(
        attempts=tuple(Attempt(**{name: getattr(a, name) for name in Attempt.__struct_fields__}) for a in found)
    )


@get("/{extraction_id:str}/events", summary="Its events", **serves(Role.VIEWER, 404))
def events(extraction_id: FromPath[str], store: UsesStore) -> Facts:
    job_id = _known(store, extraction_id).id
    return Facts(events=tuple(fact(event) for event in store.views.story(job_id)))


@get("/{extraction_id:str}/log", summary="What workers logged about it", **serves(Role.VIEWER, 404))
def log(extraction_id: FromPath[str], store: UsesStore) -> Log:
    job_id = _known(store, extraction_id).id
    return Log(
        lines=tuple(
            LogLine(at=line.at, host=line.host, level=line.level, text=line.text) for line in store.log.of(job_id)
        )
    )


@get("/{extraction_id:str}/ledger", summary="What was bought for it", **serves(Role.VIEWER, 404))
def ledger(extraction_id: FromPath[str], store: UsesStore) -> Ledger:
    job_id = _known(store, extraction_id).id
    return Ledger(lines=tuple(_purchase(line) for line in store.ledger.lines(job_id)))


@get("/{extraction_id:str}/why", summary="Why it waits", **serves(Role.VIEWER, 404))
def why(extraction_id: FromPath[str], store: UsesStore) -> Why:
    job_id = job_id_of(extraction_id)
    return Why(extraction_id=job_id, reason=store.gates.why(job_id))


@get(
    "/{extraction_id:str}/document",
    media_type="application/pdf",
    summary="Its document",
    **serves(Role.VIEWER, 404, 409),
)
def document(
    extraction_id: FromPath[str],
    request: AnyRequest,
    store: UsesStore,
    inline: Annotated[bool, QueryParameter(description="To be shown instead of saved.")] = False,
) -> Response[bytes]:
    """The PDF, under a name for people; its ETag is its SHA-256."""
    job = _known(store, extraction_id)
    bought = _bought(store, job)
    if bought is not None and f'"{bought.sha256}"' in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers={"ETag": f'"{bought.sha256}"'}, media_type="application/pdf")
    content = bytes_of(store, job)
    digest = hashlib.sha256(content).digest()
    return Response(content, media_type="application/pdf", headers=_headers(job, digest, inline=inline))


@post(
    "/{extraction_id:str}/settle",
    status_code=200,
    summary="Decide about a document that may be billed and is not here",
    **serves(Role.OPERATOR, 400, 404, 409),
)
def settle(extraction_id: FromPath[str], data: JSONBody[SettleAsked], request: AnyRequest, store: UsesStore) -> Done:
    job_id = job_id_of(extraction_id)
    store.queue.settle(job_id, data.decision, caller_of(request).name, billed=data.billed)
    told = "It is ordered anew" if data.decision is Settlement.REBUY else "It is given up"
    return Done(message=told, extraction_id=job_id)


@post(
    "/bulk",
    status_code=200,
    summary="Retry or cancel many",
    request_max_body_size=1_000_000,
    **serves(Role.OPERATOR, 400, 409, 413),
)
def bulk(data: JSONBody[BulkAsked], request: AnyRequest, store: UsesStore) -> BulkDone:
    """Refused, and nothing done, when the choice does not hold the number of orders that the caller saw."""
    chosen = _chosen(data)
    work = Bulk(store.queue, store.views)
    if data.dry_run:
        jobs = work.choose(chosen)
        return BulkDone(dry_run=True, matched=len(jobs), done=tuple(jobs), refused=())
    outcome = work.run(data.action, chosen, data.expected, caller_of(request).name)
    refused = tuple(NotDone(extraction_id=job_id, reason=reason) for job_id, reason in outcome.refused)
    return BulkDone(dry_run=False, matched=len(outcome.done) + len(refused), done=outcome.done, refused=refused)


@get("/api/why", summary="Why anything waits", **serves(Role.VIEWER))
def why_anything(store: UsesStore) -> Why:
    return Why(extraction_id=None, reason=store.gates.why())


def _known(store: Store, extraction_id: str) -> JobView:
    return store.views.job(job_id_of(extraction_id))


def bytes_of(store: Store, job: JobView) -> bytes:
    """The document's bytes, those that were bought. Refused for an order without one, and for bytes that are others."""
    bought = _bought(store, job)
    assert job.supabase_path is not None
    content = store.bucket.fetch(*_place(job.supabase_path))
    if bought is not None and bought.sha256 != hashlib.sha256(content).hexdigest():
        raise Refused("The document in its bucket is not the one that was bought; it is not given out.")
    return content


def _bought(store: Store, job: JobView) -> LedgerLine | None:
    """The ledger's line of its document; None for a document that was never ours."""
    if not job.supabase_path:
        raise Refused("This order has no document yet.")
    return store.ledger.delivered([job.supabase_path]).get(job.supabase_path)


def _place(path: str) -> tuple[str, str]:
    bucket, _, key = path.partition("/")
    if not key:
        raise NotFound("This order's document is in no bucket.")
    return bucket, key


def _headers(job: JobView, digest: bytes, *, inline: bool) -> dict[str, str]:
    name = FileNames().name(job.request) if job.request.source in set(Source) else f"{job.id}.pdf"
    plain = anyascii(name).replace('"', "'").replace("\\", "-")
    return {
        "ETag": f'"{digest.hex()}"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:",
        "Content-Disposition": f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
    }


def _purchase(line: LedgerLine) -> Purchase:
    return Purchase(**{name: getattr(line, name) for name in Purchase.__struct_fields__})


def _chosen(asked: BulkAsked) -> list[JobId] | JobFilter:
    if (asked.ids is None) == (asked.filter is None):
        raise InvalidInput("ids", "name the orders by their ids or by a filter, and not by both.")
    if asked.ids is not None:
        try:
            return [job_id_of(text) for text in asked.ids]
        except NotFound as error:
            raise InvalidInput("ids", error.message) from None
    choice = asked.filter
    assert choice is not None
    wanted = filter_of(
        choice.status,
        choice.source,
        choice.client,
        choice.batch,
        choice.error_kind,
        choice.circonscription,
        choice.text,
    )
    if wanted == JobFilter():
        raise InvalidInput("filter", "every order there is would be meant; say which.")
    return wanted


ROUTER = Router(
    "/api/extractions",
    route_handlers=[attempts, events, log, ledger, why, document, settle, bulk],
    request_max_body_size=100_000,
    tags=["extractions"],
)
ROUTERS = [ROUTER, Router("/", route_handlers=[why_anything], tags=["gates"])]
