"""The body of a batch: JSON, CSV or Excel, by itself or as a part of a form; read into orders and refusals.

Invariant: whatever the bytes are, the answer is verdicts or one sentence; each row is judged by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from litestar.datastructures import UploadFile
from litestar.openapi.spec import OpenAPIMediaType, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.openapi.spec.operation import Operation
from msgspec import Meta

from api.bodies import check_charset
from api.desk import AnyRequest, order_of
from api.problems import detail_of
from api.schemas import NewExtraction
from registre.errors import InvalidInput
from registre.job import Order
from registre.orders.cells import MAX_ROWS
from registre.orders.placing import Judged, judge_file, judge_orders
from registre.orders.verdicts import Defaults

JSON, FORM = "application/json", "multipart/form-data"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_CENTS = 100_000_000

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_PLACE = re.compile(r" - at `\$\.?(.*)`$")


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """A batch as JSON. Each order is a NewExtraction, and judged by itself."""

    orders: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MAX_ROWS)]
    name: str = ""
    client: str = ""
    cap_cents: Annotated[int, Meta(ge=0, le=MAX_CENTS)] | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """What a request holds: the bytes of JSON or of a file, and what it says of the batch."""

    content: bytes
    is_json: bool
    told: Mapping[str, str]
    """Fields of a form; they count as those of the address do."""


async def posted(request: AnyRequest) -> Posted:
    """Read the request. Runs in the server's loop."""
    kind = request.content_type[0].lower()
    if kind in (JSON, ""):
        check_charset(request)
        return Posted(await request.body(), True, {})
    if kind != FORM:
        return Posted(await request.body(), False, {})
    form = await request.form()
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise InvalidInput("file", "the form has no file of that name.")
    told = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    return Posted(await file.read(), False, told)


def judged_json(content: bytes, fresh: bool, client: str) -> tuple[BatchBody, Judged]:
    """The body, and its orders judged; `client` holds for those that name none."""
    try:
        body = msgspec.json.decode(content, type=BatchBody)
    except UNREADABLE as error:
        raise _invalid(error) from None
    return body, judge_orders([_order(raw, fresh, body.client or client) for raw in body.orders])


def judged_file(content: bytes, sheet: str | None, fresh: bool, client: str, now: datetime) -> Judged:
    return judge_file(content, sheet, Defaults(client=client, fresh=fresh), now)


def _order(raw: msgspec.Raw, fresh: bool, client: str) -> Order | InvalidInput:
    try:
        asked = msgspec.json.decode(raw, type=NewExtraction)
        asked.fresh = asked.fresh or fresh
        asked.client = asked.client or client
        return order_of(asked)
    except UNREADABLE as error:
        return _invalid(error)
    except InvalidInput as error:
        return error


def _invalid(error: Exception) -> InvalidInput:
    """What msgspec found, as our own error: `Expected `str`, got `int` - at `$.name``."""
    place = _PLACE.search(str(error))
    detail = detail_of(_PLACE.sub("", str(error)), place[1] if place else "body")
    return InvalidInput(detail.field, detail.message)


@dataclass
class BatchOperation(Operation):
    """The OpenAPI of a body that no annotation describes."""

    def __post_init__(self) -> None:
        text, number, binary = (
            _of(OpenAPIType.STRING),
            _of(OpenAPIType.INTEGER),
            _of(OpenAPIType.STRING, format="binary"),
        )
        order = _of(
            OpenAPIType.OBJECT,
            required=["document_source", "document_number"],
            description="As in POST /api/extractions.",
        )
        orders = Schema(type=OpenAPIType.ARRAY, items=order, min_items=1, max_items=MAX_ROWS)
        batch = Schema(
            type=OpenAPIType.OBJECT,
            required=["orders"],
            properties={"name": text, "client": text, "cap_cents": number, "orders": orders},
        )
        form = Schema(
            type=OpenAPIType.OBJECT, required=["file"], properties={"file": binary, "name": text, "client": text}
        )
        acte = {
            "document_source": "acte",
            "document_number": "25616321",
            "circonscription_fonciere": "Montréal",
            "acte_type": "Acte",
        }
        self.request_body = RequestBody(
            required=True,
            description="Orders as JSON, or a file of them: CSV or Excel, by itself or as the part `file` of a form.",
            content={
                JSON: OpenAPIMediaType(schema=batch, example={"name": "Dossier 12", "orders": [acte]}),
                "text/csv": OpenAPIMediaType(schema=text),
                EXCEL: OpenAPIMediaType(schema=binary),
                FORM: OpenAPIMediaType(schema=form),
            },
        )


def _of(kind: OpenAPIType, **more: object) -> Schema:
    return Schema(type=kind, **more)  # type: ignore[arg-type]  # names of Schema's own fields
