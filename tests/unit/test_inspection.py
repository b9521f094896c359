"""A file is the document asked for, as far as it can tell; nothing a parser meets gets past as anything else."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from fpdf import FPDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfWriter

from registre.document import DocumentRequest, Source
from registre.errors import DocumentError
from registre.inspection import MAX_BYTES, inspect_pdf
from tests.fakes import document_of

LOT = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", "Cadastre du Québec")


def pdf_with(text: str, *, pages: int = 1) -> bytes:
    pdf = FPDF()
    for _ in range(pages):
        pdf.add_page()
        pdf.set_font("Helvetica", "", 12)
        pdf.multi_cell(0, 10, text)
    return bytes(pdf.output())


def saved(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "document.pdf"
    path.write_bytes(content)
    return path


def test_a_whole_pdf_that_names_its_number_is_described(tmp_path: Path) -> None:
    content = pdf_with("Registre foncier du Québec. Lot numéro 2 784 195, cadastre du Québec.", pages=3)
    file = inspect_pdf(saved(tmp_path, content), LOT)
    assert (file.pages, file.size_bytes, file.sha256) == (3, len(content), hashlib.sha256(content).hexdigest())


def test_another_document_is_not_the_answer(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="does not name 2 784 195"):
        inspect_pdf(saved(tmp_path, document_of("2784196")), LOT)


@pytest.mark.parametrize("text", ["", "Page 1", "scan 0001.tif"])
def test_a_scan_without_text_cannot_tell_and_is_accepted(tmp_path: Path, text: str) -> None:
    assert inspect_pdf(saved(tmp_path, pdf_with(text)), LOT).pages == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>Votre session est expir\xe9e</body></html>",
        b"%PDF-1.7\n%%EOF",
        b"%PDF-1.7\n" + b"\x00" * 5000 + b"%%EOF",
        document_of("2784195")[:-300],
        document_of("2784195")[:500],
        b"junk" + document_of("2784195"),
        document_of("2784195") + b"x" * 4096,
    ],
    ids=["empty", "html", "bare", "zeros", "cut", "cut short", "preceded", "followed"],
)
def test_what_is_not_a_whole_pdf_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DocumentError):
        inspect_pdf(saved(tmp_path, content), LOT)


@pytest.mark.parametrize(
    "content",
    [
        b"\r\n" + document_of("2784195"),
        b"\xef\xbb\xbf" + document_of("2784195"),
        document_of("2784195") + b"\0\n" * 4096,
    ],
    ids=["line before", "mark before", "padded"],
)
def test_blank_bytes_around_a_document_do_no_harm(tmp_path: Path, content: bytes) -> None:
    assert inspect_pdf(saved(tmp_path, content), LOT).size_bytes == len(content)


def test_a_page_of_the_site_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="but a page of the site"):
        inspect_pdf(saved(tmp_path, b"\r\n<!DOCTYPE html><HTML><body>Votre session est expir\xe9e</body></HTML>"), LOT)


def encrypted(content: bytes, password: str, algorithm: str) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(content))
    writer.encrypt(user_password=password, owner_password="owner", algorithm=algorithm)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256"])
def test_a_document_protected_against_changes_is_read_like_any_other(tmp_path: Path, algorithm: str) -> None:
    assert inspect_pdf(saved(tmp_path, encrypted(document_of("2784195"), "", algorithm)), LOT).pages == 1
    with pytest.raises(DocumentError, match="does not name"):
        inspect_pdf(saved(tmp_path, encrypted(document_of("2784196"), "", algorithm)), LOT)


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_a_document_nobody_can_open_is_no_document(tmp_path: Path, algorithm: str) -> None:
    with pytest.raises(DocumentError, match="locked"):
        inspect_pdf(saved(tmp_path, encrypted(document_of("2784195"), "secret", algorithm)), LOT)


def hand_made(*objects: bytes, root: int = 1) -> bytes:
    """A PDF of these objects, numbered from 1, with a true table of where they are."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, start)
    return bytes(out)


def stream(content: bytes, extra: bytes = b"") -> bytes:
    packed = zlib.compress(content, 9)
    return b"<< /Length %d /Filter /FlateDecode %b >>\nstream\n%b\nendstream" % (len(packed), extra, packed)


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"


@pytest.mark.parametrize(
    "objects",
    [
        (CATALOG, b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
        (CATALOG, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"),
        (CATALOG, b"<< /Type /Pages /Kids [] /Count 4000000000 >>"),
        (CATALOG, b"<< /Type /Pages /Kids [" + b"3 0 R " * 90_000 + b"] /Count 1 >>", b"<< /Type /Page >>"),
        (b"<< /Type /Catalog /Pages 1 0 R >>",),
        (CATALOG, b"2 0 R"),
        (CATALOG,),
    ],
    ids=["own child", "ring", "boast", "one page 90 000 times", "catalog", "own reference", "nothing"],
)
def test_a_tree_of_pages_without_an_end_is_refused(tmp_path: Path, objects: tuple[bytes, ...]) -> None:
    with pytest.raises(DocumentError):
        inspect_pdf(saved(tmp_path, hand_made(*objects)), LOT)


def one_page(content: bytes, *more: bytes) -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> %b >> >>"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    forms = b"/XObject << /X 6 0 R >>" if more else b""
    return hand_made(CATALOG, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page % forms, content, font, *more)


@pytest.mark.parametrize(
    "content",
    [
        one_page(stream(b" " * 200_000_000)),
        one_page(stream(b"BT /F 9 Tf (2784196) Tj ET\n" * 400_000)),
        one_page(stream(b"q /X Do Q"), stream(b"q /X Do /X Do Q", b"/Type /XObject /Subtype /Form /BBox [0 0 1 1]")),
        one_page(stream(b"[" * 100_000)),
        one_page(stream(b"<<" * 100_000)),
    ],
    ids=["200 MB of blanks", "endless text", "a form that draws itself", "nested lists", "nested dictionaries"],
)
def test_a_page_too_large_to_read_cannot_tell(tmp_path: Path, content: bytes) -> None:
    tracemalloc.start()
    try:
        assert inspect_pdf(saved(tmp_path, content), LOT).pages == 1
        assert tracemalloc.get_traced_memory()[1] < 150_000_000
    finally:
        tracemalloc.stop()


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        inspect_pdf(tmp_path / "none.pdf", LOT)


def test_what_weighs_more_than_any_document_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "document.pdf"
    with path.open("wb") as sparse:
        sparse.truncate(MAX_BYTES + 1)
    with pytest.raises(DocumentError, match="too large"):
        inspect_pdf(path, LOT)


def test_a_pdf_encrypted_beyond_us_is_kept_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pypdf.errors import DependencyError

    def cannot(*_: object, **__: object) -> None:
        raise DependencyError("cryptography is required for AES")

    monkeypatch.setattr("registre.inspection.PdfReader", cannot)
    file = inspect_pdf(saved(tmp_path, document_of("2784195")), LOT)
    assert (file.pages, file.size_bytes) == (0, len(document_of("2784195")))


def test_a_font_no_parser_understands_does_not_make_a_bought_document_worthless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: object, **__: object) -> str:
        raise RuntimeError("odd font")

    monkeypatch.setattr("pypdf.PageObject.extract_text", cannot)
    assert inspect_pdf(saved(tmp_path, document_of("2784196")), LOT).pages == 1


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=40)), max_size=5),
    st.integers(0, 4000),
)
def test_whatever_happened_to_the_bytes_it_is_a_document_or_a_document_error(
    tmp_path: Path, damages: list[tuple[int, bytes]], cut: int
) -> None:
    content = bytearray(document_of("2784195"))
    for at, damage in damages:
        start = at % len(content)
        content[start : start + len(damage)] = damage
    content = content[: len(content) - cut % 200] if cut % 3 == 0 else content
    path = saved(tmp_path, bytes(content))
    with suppress(DocumentError):
        assert inspect_pdf(path, LOT).size_bytes == len(content)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(max_size=300), st.text("<>[]()/ 0123456789Robjendstrmxfailre%\n", max_size=300).map(str.encode))
)
def test_any_bytes_between_header_and_trailer_are_a_document_or_a_document_error(tmp_path: Path, middle: bytes) -> None:
    with suppress(DocumentError):
        assert inspect_pdf(saved(tmp_path, b"%PDF-1.4\n" + middle + b"\n%%EOF"), LOT).pages >= 0
