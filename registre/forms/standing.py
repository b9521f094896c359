"""How the form of a source stands: accepted since when and by whom, what has changed in it, whether that holds orders back.

Invariant: made of what the store holds at one look; a source of which no form was ever seen has a standing too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from registre.document import Source
from registre.forms.contract import SeenForm
from registre.forms.difference import difference
from registre.gates import Closure, Gate


@dataclass(frozen=True, slots=True)
class FormStanding:
    """`accepted_by` is None for the first form of a source, which is accepted by itself. `difference` says in words what has
    changed since, `frozen` why the source's orders wait."""

    source: Source
    fingerprint: str | None
    accepted_at: datetime | None
    accepted_by: str | None
    last_seen: datetime | None
    drifted_since: datetime | None
    drifted_last_seen: datetime | None
    difference: str | None
    frozen: str | None


def standing_of(source: Source, known: Sequence[SeenForm], closed: Sequence[Closure]) -> FormStanding:
    """`known` as `FormBook.known` tells it, `closed` as `Gates.closures` does."""
    accepted = accepted_of(source, known)
    drifted = next((form for form in known if form.source is source and form.accepted_at is None), None)
    frozen = next((c.reason for c in closed if c.gate is Gate.FROZEN and c.name == source), None)
    return FormStanding(
        source,
        fingerprint=None if accepted is None else accepted.contract.fingerprint,
        accepted_at=None if accepted is None else accepted.accepted_at,
        accepted_by=None if accepted is None else accepted.accepted_by,
        last_seen=None if accepted is None else accepted.last_seen,
        drifted_since=None if drifted is None else drifted.first_seen,
        drifted_last_seen=None if drifted is None else drifted.last_seen,
        difference=None if accepted is None or drifted is None else difference(accepted.contract, drifted.contract),
        frozen=frozen,
    )


def accepted_of(source: Source, known: Sequence[SeenForm]) -> SeenForm | None:
    """The form that counts now."""
    return next((form for form in known if form.source is source and form.accepted_at is not None), None)
