"""One order: its story, attempts, ledger and document, and what may be done about it.

Invariant: a picture is shown only of bytes that are those that were bought, and of evidence only from this host's own folder.
"""

from __future__ import annotations

from pathlib import Path

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from api.dashboard.forms import UsesForm, acts, field, onward, shows
from api.dashboard.rendering import page
from api.desk import AnyRequest, UsesStore, caller_of, job_id_of
from api.stories import bytes_of
from registre.access import Role
from registre.drawing import draw
from registre.errors import ErrorKind, InvalidInput, NotFound
from registre.job import AttemptView, Settlement, Status

PREVIEW_PAGES = 5
PICTURE_HEADERS = {
    "Cache-Control": "private, max-age=60",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@get("/orders/{order_id:str}", **shows())
def order(request: AnyRequest, order_id: FromPath[str], store: UsesStore) -> Response[str]:
    job = store.views.job(job_id_of(order_id))
    lines = store.ledger.lines(job.id)
    pages = max((line.pages or 0 for line in lines), default=0)
    attempts = store.views.attempts(job.id)
    folder = request.app.state.evidence
    return page(
        request,
        "order.html",
        live=True,
        job=job,
        why=store.gates.why(job.id) if job.status in (Status.WAITING, Status.RUNNING) else None,
        attempts=attempts,
        pictures={attempt.number: bool(folder and _picture(folder, attempt)) for attempt in attempts},
        lines=lines,
        events=store.views.story(job.id),
        pages=range(1, min(pages, PREVIEW_PAGES) + 1) if job.supabase_path else (),
        more_pages=max(0, pages - PREVIEW_PAGES),
        to_settle=job.error_kind in (ErrorKind.AMBIGUOUS_PURCHASE, ErrorKind.SECURED_ELSEWHERE),
    )


@get("/orders/{order_id:str}/page/{number:int}", **shows())
def preview(order_id: FromPath[str], number: FromPath[int], store: UsesStore) -> Response[bytes]:
    """One page of the document as a picture, so that it is looked at without a PDF viewer."""
    content = bytes_of(store, store.views.job(job_id_of(order_id)))
    return Response(draw(content, number), media_type="image/png", headers=PICTURE_HEADERS)


@get("/orders/{order_id:str}/evidence/{attempt_number:int}", **shows())
def evidence(
    request: AnyRequest, order_id: FromPath[str], attempt_number: FromPath[int], store: UsesStore
) -> Response[bytes]:
    """What the site showed when this attempt failed."""
    job_id = job_id_of(order_id)
    folder: Path | None = request.app.state.evidence
    for attempt in store.views.attempts(job_id):
        picture = _picture(folder, attempt) if folder is not None and attempt.number == attempt_number else None
        if picture is not None:
            return Response(picture.read_bytes(), media_type="image/png", headers=PICTURE_HEADERS)
    raise NotFound("There is no picture of this attempt on this host.")


@post("/orders/{order_id:str}/retry", **acts(Role.REQUESTER))
def retry(request: AnyRequest, order_id: FromPath[str], store: UsesStore) -> Redirect:
    job_id = job_id_of(order_id)
    store.queue.requeue(job_id, caller_of(request).name)
    return onward(f"/orders/{job_id}", "retried")


@post("/orders/{order_id:str}/cancel", **acts(Role.REQUESTER))
def cancel(request: AnyRequest, order_id: FromPath[str], store: UsesStore) -> Redirect:
    job_id = job_id_of(order_id)
    outcome = store.queue.cancel(job_id, caller_of(request).name)
    return onward(f"/orders/{job_id}", "cancelled" if outcome == "cancelled" else "stopping")


@post("/orders/{order_id:str}/settle", **acts(Role.OPERATOR))
def settle(request: AnyRequest, order_id: FromPath[str], form: UsesForm, store: UsesStore) -> Redirect:
    job_id = job_id_of(order_id)
    decision, billed = field(form, "decision"), field(form, "billed")
    if decision not in set(Settlement):
        raise InvalidInput("decision", f"one of {', '.join(Settlement)} is expected.")
    if billed not in ("yes", "no"):
        raise InvalidInput("billed", "say whether the registry's invoice shows the document.")
    store.queue.settle(job_id, Settlement(decision), caller_of(request).name, billed=billed == "yes")
    return onward(f"/orders/{job_id}", decision)


def _picture(folder: Path, attempt: AttemptView) -> Path | None:
    """The screenshot of an attempt's evidence, if that lies in this host's folder of evidence."""
    if not attempt.evidence:
        return None
    place = Path(attempt.evidence)
    try:
        if not place.resolve().is_relative_to(folder.resolve()):
            return None
        found = sorted(place.glob("*.png")) if place.is_dir() else []
        return found[0] if found and not found[0].is_symlink() else None
    except OSError:
        return None


HANDLED = [order, preview, evidence, retry, cancel, settle]
