"""Is this file a whole PDF, and the document asked for, as far as its text can tell?

Source: PDF 32000-1, section 7.5 (a header in the first bytes, a trailer that ends in %%EOF).
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

from registre.document import DocumentRequest, normalize_number
from registre.errors import DocumentError
from registre.ledger import SecuredFile

READ_PAGES = 3
"""Pages whose text is read: the registry names the document on its first."""

ENOUGH_TEXT = 40
"""Fewer characters than this are a scanner's stamp, not a text that could tell."""

log = logging.getLogger(__name__)
logging.getLogger("pypdf").setLevel(logging.ERROR)


def inspect_pdf(path: Path, request: DocumentRequest) -> SecuredFile:
    """Hash, size and pages of a whole PDF that does not name another number than `request`'s. DocumentError otherwise.

    What cannot be read cannot tell: a PDF encrypted beyond us is taken as it is, with 0 pages.
    """
    content = path.read_bytes()
    if not content.startswith(b"%PDF-"):
        raise DocumentError("The file saved is not a PDF.")
    if b"%%EOF" not in content[-2048:]:
        raise DocumentError("The PDF saved is cut short.")
    try:
        reader = PdfReader(path, strict=False)
        pages = len(reader.pages)
    except (DependencyError, FileNotDecryptedError):
        return SecuredFile(hashlib.sha256(content).hexdigest(), len(content), pages=0)
    except Exception as error:  # a parser of foreign bytes may raise anything
        raise DocumentError(f"The PDF saved cannot be read ({type(error).__name__}).") from None
    if pages == 0:
        raise DocumentError("The PDF saved has no page.")
    readable = normalize_number(_text(reader))
    if len(readable) >= ENOUGH_TEXT and request.number_normalized not in readable:
        raise DocumentError(f"The PDF saved does not name {request.number}: it may be another document.")
    return SecuredFile(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content), pages=pages)


def _text(reader: PdfReader) -> str:
    try:
        return "".join(page.extract_text() for page in reader.pages[:READ_PAGES])
    except Exception as error:  # as above; a whole file with an odd font is still the document
        log.debug("no text: %s", error)
        return ""
