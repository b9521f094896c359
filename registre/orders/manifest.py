"""The manifest of a batch's ZIP: one line for each order, delivered or not.

Invariant: it says of every order what became of it. UTF-8 with its mark and `;`, as a French Excel writes and reads; amounts in
cents, which no locale reads differently; nothing in it that Excel would compute.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from registre.job import JobView
from registre.ledger import LedgerLine
from registre.orders.cells import guarded
from registre.orders.moments import LOCAL

NAME = "manifest.csv"


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """One order. `file` is its document's name in the ZIP, '' when it has none there, and `error` then says why. `compared` is
    'yes' when the bytes are those the ledger says were bought."""

    order: int
    job_id: str
    source: str
    number: str
    circonscription: str
    cadastre: str
    designation: str
    acte_type: str
    client: str
    status: str
    error: str
    file: str
    sha256: str
    compared: str
    size_bytes: int | str
    pages: int | str
    cost_cents: int
    bought_at: str
    reused: str
    notes: str


@dataclass(frozen=True, slots=True)
class Packed:
    """A document in the ZIP."""

    file: str
    sha256: str
    size_bytes: int


def manifest_line(
    order: int, job: JobView, own: LedgerLine | None, bought: LedgerLine | None, outcome: Packed | str
) -> ManifestLine:
    """`own` is the purchase made for this order, `bought` the one its document comes from; `outcome` the document, or why there
    is none."""
    packed = outcome if isinstance(outcome, Packed) else None
    request = job.request
    return ManifestLine(
        order=order,
        job_id=job.id,
        source=request.source,
        number=request.number,
        circonscription=request.circonscription,
        cadastre=request.cadastre,
        designation=request.designation,
        acte_type=request.acte_type,
        client=job.client,
        status=job.status,
        error="" if packed else str(outcome),
        file=packed.file if packed else "",
        sha256=packed.sha256 if packed else "",
        compared=("yes" if bought else "no") if packed else "",
        size_bytes=packed.size_bytes if packed else "",
        pages=bought.pages if packed and bought and bought.pages is not None else "",
        cost_cents=job.cost_cents,
        bought_at=_local(bought.charged_at or bought.secured_at) if bought else "",
        reused="yes" if job.supabase_path and own is None else "no",
        notes=" ".join(job.notes),
    )


def render_manifest(lines: Iterable[ManifestLine]) -> bytes:
    """The file's bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([field.name for field in fields(ManifestLine)])
    for line in lines:
        writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in astuple(line)])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "backslashreplace")


def _local(moment: datetime | None) -> str:
    return moment.astimezone(LOCAL).isoformat(timespec="seconds") if moment else ""
