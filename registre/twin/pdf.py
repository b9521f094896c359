"""The documents themselves: real PDF files whose text says what they are.

Invariant: equal documents are equal bytes; one fact a line, so that a reader of the text can find each.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

from fpdf import FPDF
from PIL import Image

from registre.document import Source
from registre.twin.documents import SOURCE_NAMES, Document, grouped

_CREATED = datetime(2024, 1, 1, tzinfo=UTC)
_NOISE_SIDE = 480


@lru_cache(maxsize=64)
def render_pdf(document: Document, seed: int) -> bytes:
    """The file sold for `document`; about 2 KB a page, and over 600 KB when it is large."""
    pdf = FPDF(format="Letter")
    pdf.set_creation_date(_CREATED)
    pdf.set_producer("registre twin")
    pdf.set_title(_latin(document.title))
    for page in range(1, document.pages + 1):
        pdf.add_page()
        pdf.set_font("Helvetica", "B", 14)
        pdf.cell(0, 10, "Registre foncier du Québec", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Helvetica", "", 11)
        for line in facts(document):
            pdf.cell(0, 7, _latin(line), new_x="LMARGIN", new_y="NEXT")
        pdf.cell(0, 7, f"Page {page} de {document.pages}", new_x="LMARGIN", new_y="NEXT")
        pdf.cell(0, 7, _entry(document, seed, page), new_x="LMARGIN", new_y="NEXT")
        if document.large and page == 1:
            pdf.image(_noise(document, seed), w=150)
    return bytes(pdf.output())


def facts(document: Document) -> Iterator[str]:
    """What the document says of itself, a line each; a blank fact is left out."""
    yield f"Source : {SOURCE_NAMES[document.source]}"
    kind = "Numéro d'inscription" if document.source is Source.ACTE else "Numéro de lot"
    yield f"{kind} : {document.number}"
    if grouped(document.number) != document.number:
        yield f"Soit : {grouped(document.number)}"
    yield f"Circonscription foncière : {document.circonscription}"
    if document.cadastre:
        yield f"Cadastre : {document.cadastre} ({document.cadastre_code})"
    if document.designation:
        yield f"Désignation secondaire : {document.designation}"
    if document.acte_type:
        yield f"Type de document : {document.acte_type}"
    yield f"Date : {document.dated.isoformat()}"


def _entry(document: Document, seed: int, page: int) -> str:
    digest = hashlib.sha256(f"{seed}|{document}|{page}".encode()).hexdigest()
    return f"Référence {digest[:8]}-{digest[8:16]}"


def _noise(document: Document, seed: int) -> io.BytesIO:
    """A scan that does not compress: deterministic noise, 480 x 480 pixels of three bytes."""
    size = _NOISE_SIDE * _NOISE_SIDE * 3
    noise = hashlib.shake_256(f"{seed}|{document}".encode()).digest(size)
    target = io.BytesIO()
    Image.frombytes("RGB", (_NOISE_SIDE, _NOISE_SIDE), noise).save(target, "PNG", compress_level=0)
    target.seek(0)
    return target


def _latin(text: str) -> str:
    """The core fonts of PDF know Latin-1 only."""
    plain = text.replace("’", "'").replace("œ", "oe").replace("Œ", "Oe")
    return plain.encode("latin-1", "replace").decode("latin-1")
