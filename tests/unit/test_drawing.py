"""Pages of PDFs as pictures; a file that breaks what draws it breaks nothing else."""

from __future__ import annotations

import asyncio
import io

import pytest
from fpdf import FPDF
from PIL import Image

from registre import drawing
from registre.errors import NotFound, Unavailable


def drawn(content: bytes, number: int) -> bytes:
    return asyncio.run(drawing.Drawing().draw(content, number))


def pdf(*sizes: tuple[float, float]) -> bytes:
    made = FPDF(unit="pt")
    for size in sizes:
        made.add_page(format=size)
        made.set_font("helvetica", size=20)
        made.cell(text=f"{size}")
    return bytes(made.output())


def test_a_page_is_drawn_as_wide_as_it_is_shown_and_never_too_tall() -> None:
    content = pdf((612, 792), (50, 2000))
    sizes = [Image.open(io.BytesIO(drawn(content, number))).size for number in (1, 2)]
    assert abs(sizes[0][0] - drawing.WIDTH) <= 1
    assert sizes[1][1] <= 3 * drawing.WIDTH + 1


@pytest.mark.parametrize(
    ("content", "number"),
    [(pdf((612, 792)), 2), (pdf((612, 792)), 0), (b"%PDF-1.4 broken", 1), (b"", 1)],
    ids=["after the last", "before the first", "broken", "empty"],
)
def test_what_cannot_be_drawn_is_not_found(content: bytes, number: int) -> None:
    with pytest.raises(NotFound):
        drawn(content, number)


def test_many_pages_are_drawn_at_once() -> None:
    content = pdf((612, 792), (612, 792))

    async def all_of_them() -> list[bytes]:
        artist = drawing.Drawing()
        return await asyncio.gather(*[artist.draw(content, n % 2 + 1) for n in range(6)])

    pictures = asyncio.run(all_of_them())
    assert all(one.startswith(b"\x89PNG") for one in pictures)


def test_a_page_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "SECONDS", 0.01)
    with pytest.raises(Unavailable):
        drawn(pdf((612, 792)), 1)
