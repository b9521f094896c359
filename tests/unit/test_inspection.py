"""A file is the document asked for, as far as it can tell; nothing a parser meets gets past as anything else."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import pytest
from fpdf import FPDF
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registre.document import DocumentRequest, Source
from registre.errors import DocumentError
from registre.inspection import inspect_pdf
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
        b" " + document_of("2784195"),
        document_of("2784195") + b"\n" * 4096,
    ],
    ids=["empty", "html", "bare", "zeros", "cut", "cut short", "shifted", "padded"],
)
def test_what_is_not_a_whole_pdf_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DocumentError):
        inspect_pdf(saved(tmp_path, content), LOT)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        inspect_pdf(tmp_path / "none.pdf", LOT)


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
