"""Is this file a whole PDF, and the document asked for, as far as its text can tell?

Source: PDF 32000-1, section 7.5 (a header in the first bytes, a trailer that ends in %%EOF). Invariant: whatever the bytes,
the answer is a SecuredFile or a DocumentError, in bounded time and memory.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from pypdf import Configuration, PasswordType, PdfReader, apply_configuration
from pypdf.errors import DependencyError, FileNotDecryptedError

from registre.document import DocumentRequest, normalize_number
from registre.errors import DocumentError
from registre.ledger import SecuredFile
from registre.testimony import contradiction

READ_PAGES = 3
"""Pages whose text is read: the registry names the document on its first."""

ENOUGH_TEXT = 40
"""Fewer characters than this are a scanner's stamp, not a text that could tell."""

MAX_TEXT = 200_000
"""Characters of one page that are looked at."""

MAX_BYTES = 1_000_000_000
"""Beyond this no document of the registry weighs; it is not read into memory."""

_STRUCTURE = Configuration(
    page_tree_maximum_entries=50_000,
    zlib_maximum_output_length=50_000_000,
    maximum_declared_stream_length=MAX_BYTES,
    jbig2dec_binary=None,
    disable_legacy_handling=True,
)
_TEXT = _STRUCTURE.with_overwrites(
    zlib_maximum_output_length=5_000_000,
    lzw_maximum_output_length=5_000_000,
    run_length_maximum_output_length=5_000_000,
    array_based_stream_maximum_output_length=5_000_000,
    stream_decoding_work_maximum_length=10_000_000,
    stream_parsing_work_maximum_count=200_000,
    xform_maximum_invocations_per_extraction=200,
)
"""A page of text is some KB; a page beyond these limits is read as one without text."""

_TRAILER_WITHIN = 2048
_PADDING = b"\x00\t\n\f\r "

log = logging.getLogger(__name__)
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def inspect_pdf(path: Path, request: DocumentRequest) -> SecuredFile:
    """Hash, size and pages of a whole PDF that does not say it is another document than `request`'s. DocumentError otherwise.

    What cannot be read cannot tell: a PDF encrypted beyond us is taken as it is, with 0 pages. FileNotFoundError passes.
    """
    content = _content(path)
    size, sha256 = len(content), hashlib.sha256(content).hexdigest()
    try:
        with path.open("rb") as stream, apply_configuration(_STRUCTURE):
            reader = PdfReader(stream, strict=False)
            if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
                raise DocumentError("The PDF saved is locked: it opens with a password only.")
            pages = len(reader.pages)
            if pages == 0:
                raise DocumentError("The PDF saved has no page.")
            texts, title = _texts(reader), _title(reader)
    except (DependencyError, FileNotDecryptedError):
        return SecuredFile(sha256, size, pages=0)
    except (DocumentError, FileNotFoundError):
        raise
    except Exception as error:  # a parser of foreign bytes may raise anything
        raise DocumentError(f"The PDF saved cannot be read ({type(error).__name__}).") from None
    readable = sum(len(normalize_number(text)) for text in texts)
    if readable >= ENOUGH_TEXT and (why := contradiction(request, texts, title)):
        raise DocumentError(f"The PDF saved may be another document: {why}.")
    return SecuredFile(sha256=sha256, size_bytes=size, pages=pages)


def _content(path: Path) -> bytes:
    """The bytes of what begins and ends as a PDF; blank bytes around it, as some servers send them, do no harm."""
    if path.stat().st_size > MAX_BYTES:
        raise DocumentError("The file saved is too large to be a document of the registry.")
    content = path.read_bytes()
    if not content:
        raise DocumentError("The file saved is empty.")
    if not content[:1024].lstrip(_PADDING + b"\xef\xbb\xbf").startswith(b"%PDF-"):
        page = b"<html" in content[:1024].lower() or b"<!doctype html" in content[:1024].lower()
        raise DocumentError(f"The file saved is not a PDF{', but a page of the site' if page else ''}.")
    if b"%%EOF" not in content.rstrip(_PADDING)[-_TRAILER_WITHIN:]:
        raise DocumentError("The PDF saved is cut short.")
    return content


def _texts(reader: PdfReader) -> list[str]:
    """The texts of the first pages; of those that cannot be read, none."""
    texts: list[str] = []
    for number in range(min(READ_PAGES, len(reader.pages))):
        try:
            with apply_configuration(_TEXT):
                texts.append(reader.pages[number].extract_text()[:MAX_TEXT])
        except Exception as error:  # as above; a whole file with an odd font is still the document
            log.debug("no text on page %d: %s", number + 1, type(error).__name__)
            texts.append("")
    return texts


def _title(reader: PdfReader) -> str:
    try:
        return str((reader.metadata and reader.metadata.title) or "")[:200]
    except Exception:  # as above
        return ""
