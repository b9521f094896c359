"""Batches: a file is dropped, its price is seen, it is ordered, followed, approved, cancelled.

Invariant: what is ordered is the very file whose price was seen, once, however often its button is pressed.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Response, get, post
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.params import FromPath
from litestar.response import Redirect

from api.access import needs
from api.batches import batch_of
from api.dashboard.forms import UsesForm, acts, field, onward, shows, whole_number
from api.dashboard.rendering import page
from api.desk import AnyRequest, UsesStore, batch_id_of, caller_of
from registre.access import Role
from registre.batch import BatchId, NewBatch
from registre.errors import InvalidInput, Miscounted, NotFound
from registre.job import JobFilter, Status
from registre.orders.cells import MAX_FILE_BYTES
from registre.orders.placing import Judged, for_one_client, judge_file
from registre.orders.verdicts import Defaults, valid_client
from registre.plain import plain_text
from registre.repeats import Once
from registre.wiring import Store

SHOWN, LISTED, ORDERS_SHOWN = 200, 100, 50
UPLOAD_BYTES = MAX_FILE_BYTES + 100_000


@get("/batches", **shows())
def batches(request: AnyRequest, store: UsesStore) -> Response[str]:
    found = [batch_of(view) for view in store.batches.all(LISTED)]
    return page(request, "batches.html", live=True, batches=found)


@get("/batches/{batch_id:str}", **shows())
def batch(request: AnyRequest, batch_id: FromPath[str], store: UsesStore) -> Response[str]:
    known = batch_id_of(batch_id)
    found = batch_of(store.batches.get(known))
    jobs = store.views.page(JobFilter(batch_id=known), None, ORDERS_SHOWN)
    return page(request, "batch.html", live=True, batch=found, jobs=jobs.jobs, more=jobs.next_cursor is not None)


@post("/batches/price", opt=needs(Role.REQUESTER), status_code=200, request_max_body_size=UPLOAD_BYTES)
async def price(request: AnyRequest, form: UsesForm, store: UsesStore) -> Response[str]:
    """Verdicts and price of a file; nothing is ordered."""
    content = await _file(form)
    return await asyncio.to_thread(_priced, request, store, content, field(form, "client"))


@post("/batches/order", opt=needs(Role.REQUESTER), status_code=303, request_max_body_size=UPLOAD_BYTES)
async def order(request: AnyRequest, form: UsesForm, store: UsesStore) -> Response[Any]:
    """The file once more, with what its sender saw of it."""
    content = await _file(form)
    return await asyncio.to_thread(_ordered, request, store, content, form)


@post("/batches/{batch_id:str}/approve", **acts(Role.OPERATOR))
def approve(request: AnyRequest, batch_id: FromPath[str], store: UsesStore) -> Redirect:
    known = batch_id_of(batch_id)
    store.batches.approve(known, caller_of(request).name)
    return onward(f"/batches/{known}", "approved")


@post("/batches/{batch_id:str}/cancel", **acts(Role.OPERATOR))
def cancel(request: AnyRequest, batch_id: FromPath[str], form: UsesForm, store: UsesStore) -> Redirect:
    known = batch_id_of(batch_id)
    counts = store.batches.get(known).counts
    left, expected = counts[Status.WAITING] + counts[Status.RUNNING], whole_number(form, "expected")
    if left != expected:
        raise Miscounted(f"{expected} orders were expected, and {left} have not ended; nothing was done.")
    store.batches.cancel(known, caller_of(request).name)
    return onward(f"/batches/{known}", "batch-cancelled")


async def _file(form: FormMultiDict) -> bytes:
    file = form.get("file")
    content = await file.read() if isinstance(file, UploadFile) else b""
    if not content:
        raise InvalidInput("file", "choose a CSV or Excel file of orders first.")
    return content


def _judged(content: bytes, client: str) -> Judged:
    return judge_file(content, None, Defaults(client=valid_client(client)), datetime.now(UTC))


def _priced(request: AnyRequest, store: Store, content: bytes, client: str) -> Response[str]:
    judged = _judged(content, client)
    quote = store.batches.quote(judged.orders)
    rows = list(zip(judged.accepted, quote.owned, quote.repeated, strict=True))
    return page(
        request,
        "quote.html",
        rows=rows[:SHOWN],
        accepted=len(rows),
        owned=sum(path is not None for path in quote.owned),
        refused=judged.rejected[:SHOWN],
        refused_count=len(judged.rejected),
        quote=quote,
        digest=hashlib.sha256(content).hexdigest(),
        once=str(uuid4()),
    )


def _ordered(request: AnyRequest, store: Store, content: bytes, form: FormMultiDict) -> Response[Any]:
    """Refused when the file is another one, or costs by now something else, than was seen."""
    if hashlib.sha256(content).hexdigest() != field(form, "digest"):
        raise Miscounted("This is not the file whose price was shown; look at its price again.")
    client, author = field(form, "client"), caller_of(request)
    judged = _judged(content, client)
    name = plain_text(field(form, "name"), "name", 100) or f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    batch = for_one_client(NewBatch(name, valid_client(client), author.name), judged.orders)
    once = Once(author.sender, _uuid(field(form, "once")), f"{field(form, 'digest')} {name} {client}")
    known = store.repeatable.recall(once)
    if known is None:
        seen, now = whole_number(form, "price"), store.batches.quote(judged.orders).price_cents
        if seen != now or whole_number(form, "accepted") != len(judged.orders):
            raise Miscounted("The price is by now another one than was shown; look at it again. Nothing was ordered.")
        known = store.repeatable.submit_batch(once, batch, judged.orders)
    if known.batch_id is None:
        raise NotFound("This batch is not there any more.")
    return onward(f"/batches/{BatchId(known.batch_id)}", "ordered")


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise InvalidInput("once", "the form is broken; look at the price again.") from None


HANDLED = [batches, batch, price, order, approve, cancel]
