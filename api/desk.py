"""What handlers are given: the store, the caller, and the words of a request turned into the core's.

Invariant: nothing of a request reaches a port unread.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar, cast

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, SkipValidation

from api.access import Caller, needs
from api.problems import problem_responses
from api.schemas import NewExtraction
from registre.access import Role
from registre.batch import BatchId
from registre.document import DocumentRequest, Source, normalize_number
from registre.errors import InvalidInput, NotFound
from registre.job import JobFilter, JobId, Order, Status
from registre.orders.verdicts import valid_client
from registre.plain import plain_text
from registre.ports import Repeatable
from registre.repeats import Once, Outcome
from registre.wiring import Store

UsesStore = NamedDependency[SkipValidation[Store]]
AnyRequest = Request[Any, Any, Any]
Answer = TypeVar("Answer", bound=msgspec.Struct)

STATUSES = {
    "all": None,
    "queued": Status.WAITING,
    "processing": Status.RUNNING,
    "completed": Status.DONE,
    "failed": Status.FAILED,
}


class Sort(StrEnum):
    """Which end a listing begins at."""

    NEWEST = "-created_at"
    OLDEST = "created_at"


IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        max_length=255,
        description="Sent again within a day, the same request orders nothing more and is answered as the first time.",
    ),
]


def serves(role: Role, *statuses: int) -> dict[str, Any]:
    """For a handler that asks the store, in a thread: the role it needs, and the problems it may answer with."""
    return {"opt": needs(role), "sync_to_thread": True, "responses": problem_responses(*statuses)}


def store_of(request: AnyRequest) -> Store:
    return cast(Store, request.app.state.store)


async def provide_store(request: AnyRequest) -> Store:
    return store_of(request)


def caller_of(request: AnyRequest) -> Caller:
    """Set by the gatekeeper before any handler runs."""
    return cast(Caller, request.scope["user"])


def job_id_of(text: str) -> JobId:
    """What is no id names nothing."""
    return JobId(uuid_of(text, "job"))


def batch_id_of(text: str) -> BatchId:
    return BatchId(uuid_of(text, "batch"))


def uuid_of(text: str, noun: str) -> str:
    """The id in its one spelling; NotFound for what is none."""
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise NotFound(f"No {noun} has the id {text[:60]}.")
    return str(uuid.UUID(text))


def order_of(asked: NewExtraction) -> Order:
    """The order meant; InvalidInput names what to mend."""
    request = DocumentRequest(
        asked.document_source,
        asked.document_number,
        asked.circonscription_fonciere or "",
        asked.cadastre or "",
        asked.designation_secondaire or "",
        asked.acte_type or "",
    ).validate()
    now = datetime.now(UTC)
    if asked.deadline is not None and asked.deadline <= now:
        raise InvalidInput("deadline", "it is past.")
    if asked.deadline is not None and asked.not_before is not None and asked.deadline <= asked.not_before:
        raise InvalidInput("deadline", "it is not after not_before.")
    return Order(
        request,
        client=valid_client(asked.client or ""),
        priority=asked.priority,
        max_attempts=asked.max_attempts,
        fresh=asked.fresh,
        not_before=asked.not_before,
        deadline=asked.deadline,
    )


def filter_of(
    status: str = "all",
    source: Source | None = None,
    client: str | None = None,
    batch: str | None = None,
    error_kind: str | None = None,
    circonscription: str | None = None,
    text: str | None = None,
    sort: Sort = Sort.NEWEST,
) -> JobFilter:
    """The choice meant; InvalidInput for one that no index serves."""
    if status not in STATUSES:
        raise InvalidInput("status", f"'{status[:40]}' is unknown; one of {', '.join(STATUSES)} is expected.")
    if circonscription and not (batch or text) and (client is not None or error_kind):
        raise InvalidInput(
            "circonscription",
            "it cannot be looked for together with a client or a kind of error; name a batch or a number too.",
        )
    return JobFilter(
        status=STATUSES[status],
        source=source and str(source),
        client=None if client is None else plain_text(client, "client", 100),
        batch_id=_batch(batch) if batch else None,
        error_kind=plain_text(error_kind, "error_kind", 60) if error_kind else None,
        number=normalize_number(plain_text(text, "text", 60)) if text else None,
        circonscription=plain_text(circonscription, "circonscription") if circonscription else None,
        oldest_first=sort is Sort.OLDEST,
    )


def _batch(text: str) -> str:
    try:
        return batch_id_of(text)
    except NotFound:
        raise InvalidInput("batch", f"'{text[:60]}' is not an id of a batch.") from None


def once_of(request: AnyRequest, key: str | None, *asked: object) -> Once | None:
    """The repeatable request, if its sender gave a key. `asked` is everything that makes it what it is."""
    if key is None:
        return None
    checked_key(key)
    digest = hashlib.sha256(request.url.path.encode())
    for part in asked:
        digest.update(b"\x1f" + (part if isinstance(part, bytes) else msgspec.json.encode(part)))
    return Once(caller_of(request).sender, key, digest.hexdigest())


def checked_key(key: str) -> str:
    """An Idempotency-Key as it came, or InvalidInput."""
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        raise InvalidInput("Idempotency-Key", "1 to 255 visible ASCII characters are expected.")
    return key


def answered(
    repeatable: Repeatable, once: Once, outcome: Outcome, kind: type[Answer], make: Callable[[], Answer]
) -> Response[Answer]:
    """What its sender was told the first time; when nobody lived to tell it, what `make` tells now, kept for the next time."""
    if outcome.answer is not None:
        return replayed(outcome.answer, kind)
    answer = make()
    repeatable.keep_answer(once, msgspec.to_builtins(answer))
    return Response(answer, status_code=201, headers={"Idempotency-Replayed": "true"} if outcome.repeated else {})


def replayed(answer: dict[str, Any], kind: type[Answer]) -> Response[Answer]:
    return Response(msgspec.convert(answer, kind), status_code=201, headers={"Idempotency-Replayed": "true"})
