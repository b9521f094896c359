"""What a caller reads when something is wrong: problem details (RFC 9457), and the bodies the V2 promised.

Invariant: one sentence, naming the field where there is one; never a traceback, never a secret. What is nobody's mistake but
ours is logged, and told as such.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ExceptionHandlersMap

from registre.document import Source
from registre.errors import (
    InvalidInput,
    Miscounted,
    NotFound,
    OtherRequest,
    Refused,
    RegistreError,
    Unavailable,
)
from registre.log import mask
from registre.plain import harmless

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
VALIDATION = "Validation error"
NO_SUCH_JOB = "Extraction job not found"

_MISSING = re.compile(r"Object missing required field `(.+)`")
_ENUM = re.compile(r"Invalid enum value")
_UNKNOWN = re.compile(r"Object contains unknown field `(.+)`")

AnyRequest = Request[Any, Any, Any]


class Detail(msgspec.Struct, frozen=True):
    """One thing to mend."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Problem details of RFC 9457; `errors` names what to mend."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[Detail, ...] = ()


class ValidationError(msgspec.Struct, frozen=True):
    """The V2's body for an order that cannot be taken."""

    error: str
    details: tuple[Detail, ...]


class PlainError(msgspec.Struct, frozen=True):
    """The V2's body for everything else."""

    error: str


_KINDS: tuple[tuple[type[RegistreError], int, str, str], ...] = (
    (InvalidInput, 400, "invalid-input", "Something in the request must be mended"),
    (OtherRequest, 422, "other-request", "The Idempotency-Key belongs to another request"),
    (Miscounted, 409, "miscounted", "The choice holds another number of jobs"),
    (Refused, 409, "refused", "A rule forbids it"),
    (NotFound, 404, "not-found", "There is no such thing"),
    (Unavailable, 503, "unavailable", "Try again later"),
)
"""Error → status, last part of the type, title; the first that fits."""


def problem_responses(*statuses: int) -> Mapping[int, ResponseSpec]:
    """What the OpenAPI says of errors, for the statuses given and those that every endpoint may have."""
    texts = {
        400: "Something in the request must be mended.",
        401: "No key, or none that is known.",
        403: "The key's role does not cover this.",
        404: "There is no such thing.",
        409: "A rule forbids it now.",
        413: "The body is too large.",
        422: "The Idempotency-Key belongs to another request.",
        429: "Too many wrong keys came from this address; try again later.",
        503: "The database is away; try again later.",
    }
    return {
        status: ResponseSpec(Problem, generate_examples=False, media_type=MEDIA_TYPE, description=texts[status])
        for status in sorted({400, 401, 403, 429, 503, *statuses})
    }


def problem(status: int, kind: str, title: str, detail: str, *errors: Detail, **headers: str) -> Response[Problem]:
    """The response; `kind` is the last part of its type."""
    body = Problem(f"/docs#{kind}", title, status, detail, errors)
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def of_ours(_: AnyRequest, error: RegistreError) -> Response[Problem]:
    for known, status, kind, title in _KINDS:
        if isinstance(error, known):
            details = (Detail(error.field, _sentence(error)),) if isinstance(error, InvalidInput) else ()
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
            return problem(status, kind, title, _sentence(error), *details, **headers)
    log.error("the API cannot answer: %s", error)
    return problem(500, "failure", "registre failed", _sentence(error))


def of_http(_: AnyRequest, error: HTTPException) -> Response[Problem]:
    """What the framework refuses: routes, methods, bodies and parameters that are not as described."""
    details = details_of(error)
    title = HTTPStatus(error.status_code).phrase
    if error.status_code >= 500:
        log.error("the API cannot answer: %s", error.detail)
        return problem(error.status_code, "failure", title, "registre failed; its log says how.")
    detail = " ".join(f"{d.field}: {d.message}" for d in details) or _plain(error.detail) or title
    kind = "invalid-input" if error.status_code == 400 else title.lower().replace(" ", "-")
    return problem(error.status_code, kind, title, detail, *details, **(error.headers or {}))


def of_unforeseen(request: AnyRequest, error: Exception) -> Response[Problem]:
    log.error("the API failed at %s %s", request.method, harmless(request.url.path), exc_info=error)
    return problem(500, "failure", "registre failed", "registre failed; its log says how.")


def invalid_extraction(_: AnyRequest, error: InvalidInput) -> Response[ValidationError]:
    return _validation(Detail(error.field, _sentence(error)))


def unreadable_extraction(request: AnyRequest, error: HTTPException) -> Response[ValidationError] | Response[Problem]:
    if error.status_code != 400:
        return of_http(request, error)
    return _validation(*(details_of(error) or (Detail("body", f"it is not as described: {_plain(error.detail)}"),)))


def missing_extraction(_: AnyRequest, __: NotFound) -> Response[PlainError]:
    return Response(PlainError(NO_SUCH_JOB), status_code=404)


def refused_extraction(request: AnyRequest, error: Refused) -> Response[PlainError] | Response[Problem]:
    if isinstance(error, OtherRequest | Miscounted):
        return of_ours(request, error)
    return Response(PlainError(_sentence(error)), status_code=409)


def details_of(error: HTTPException) -> tuple[Detail, ...]:
    """What the framework found wrong, in our words."""
    found = error.extra if isinstance(error.extra, list) else []
    return tuple(_detail(item) for item in found if isinstance(item, dict))


def without_field(field: str, sentence: str) -> str:
    """A sentence that begins with its field's name, for where that name stands beside it."""
    return sentence.removeprefix(f"{field}: ")


def _detail(item: Mapping[str, Any]) -> Detail:
    return detail_of(str(item.get("message", "")), str(item.get("key", "body")))


def detail_of(message: str, field: str) -> Detail:
    """What msgspec found wrong at `field`, in our words."""
    if field == "data":
        field = "body"
    if message == "'data'":
        return Detail("body", "a JSON body is required.")
    inside = "" if field == "body" else f"{field}."
    if missing := _MISSING.match(message):
        return Detail(inside + missing[1], "is required.")
    if unknown := _UNKNOWN.match(message):
        return Detail(inside + _plain(unknown[1]), "is unknown; a name with a slip would otherwise change nothing.")
    if _ENUM.match(message) and field.rpartition(".")[2] in {"document_source", "source"}:
        return Detail(_plain(field), f"is unknown; one of {', '.join(Source)} is expected.")
    return Detail(_plain(field), _plain(message[:1].lower() + message[1:].rstrip(".")) + ".")


def _validation(*details: Detail) -> Response[ValidationError]:
    return Response(ValidationError(VALIDATION, details), status_code=400)


def _sentence(error: RegistreError) -> str:
    """Without the field's name, which stands beside it; and without secrets, which a driver may have repeated."""
    text = without_field(error.field, error.message) if isinstance(error, InvalidInput) else error.message
    return mask(_plain(text))


def _plain(text: str) -> str:
    return harmless(text)[:500]


HANDLERS: ExceptionHandlersMap = {RegistreError: of_ours, HTTPException: of_http, Exception: of_unforeseen}
EXTRACTION_HANDLERS: ExceptionHandlersMap = {
    InvalidInput: invalid_extraction,
    HTTPException: unreadable_extraction,
    NotFound: missing_extraction,
    Refused: refused_extraction,
}
