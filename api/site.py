"""What is known of the registry's site: its forms, what has changed in one, and what the site says when it refuses.

Invariant: an accepted change has its author, the name of the caller's key.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from litestar import Router, get, post
from litestar.params import FromPath, QueryParameter

from api.desk import AnyRequest, UsesStore, caller_of, serves
from api.schemas import Wire
from registre.access import Role
from registre.document import Source
from registre.forms import standing_of
from registre.operations import source_name
from registre.sentences import MOST_SENTENCES


class FormView(Wire):
    """The form of one source. `accepted_by` is null for the first one, which is accepted by itself; `drifted_since` null while it
    is as accepted. `difference` says in words what has changed, `frozen` why the source's orders wait."""

    source: Source
    fingerprint: str | None
    accepted_at: datetime | None
    accepted_by: str | None
    last_seen: datetime | None
    drifted_since: datetime | None
    drifted_last_seen: datetime | None
    difference: str | None
    frozen: str | None


class FormList(Wire):
    forms: tuple[FormView, ...]


class FormAccepted(Wire):
    """`accepted` is what had changed; `resumed`, whether that had held orders back."""

    source: Source
    accepted: str | None
    resumed: bool


class SentenceView(Wire):
    """`text` as it was first heard, numbers aside; `kind` as it was last classed; `source` is empty when it was said of no
    order."""

    text: str
    source: str
    kind: str
    needs_review: bool
    count: int
    first_seen: datetime
    last_seen: datetime
    last_job: str | None


class SentenceList(Wire):
    sentences: tuple[SentenceView, ...]


@get("/forms", summary="The form of each source, and what has changed", **serves(Role.VIEWER))
def list_forms(store: UsesStore) -> FormList:
    known, closed = store.forms.known(), store.gates.closures()
    return FormList(forms=tuple(FormView(**asdict(standing_of(source, known, closed))) for source in Source))


@post(
    "/forms/{source:str}/accept",
    status_code=200,
    summary="Accept the changed form of a source",
    **serves(Role.OPERATOR, 400, 409),
)
def accept_form(source: FromPath[str], request: AnyRequest, store: UsesStore) -> FormAccepted:
    """After a look at the site: the form is right as it is now, and its orders go on. Refused when nothing has changed."""
    known = source_name(source)
    changed = standing_of(known, store.forms.known(), ()).difference
    resumed = store.forms.accept(known, caller_of(request).name)
    return FormAccepted(source=known, accepted=changed, resumed=resumed)


@get("/sentences", summary="What the site said when it refused", **serves(Role.VIEWER, 400))
def list_sentences(
    store: UsesStore,
    review: Annotated[bool, QueryParameter(description="Only those whose class nobody knows.")] = False,
    frequent: Annotated[bool, QueryParameter(description="The most frequent first, not the last heard.")] = False,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST_SENTENCES, description="How many.")] = 50,
) -> SentenceList:
    found = store.sentences.all(review=review, frequent=frequent, limit=limit)
    return SentenceList(sentences=tuple(SentenceView(**asdict(sentence)) for sentence in found))


ROUTER = Router(
    "/api", route_handlers=[list_forms, accept_form, list_sentences], request_max_body_size=10_000, tags=["site"]
)
