"""Evidence of a real page in a real browser, with a real trace of a password typed and sent."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.async_api import Page, async_playwright

from registre.errors import LayoutChanged
from registre.evidence import examples, signature
from registre.site.chromium import find_chromium
from registre.site.evidence import collect
from registre.twin.config import TwinConfig
from registre.twin.paths import LOGIN
from registre.twin.server import TwinServer

PASSWORD = "Écrit à+la*main~&<1>"
PART = "crit à+la"
ERROR = LayoutChanged("gone", source="index", landmark="#selCadst")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with TwinServer(TwinConfig()) as server:
        yield server.base_url


@asynccontextmanager
async def signing_in(address: str, trace: Path) -> AsyncIterator[Page]:
    """A page after a refused login, traced from the first click; the trace is finished when the page is given."""
    chromium = find_chromium(None)
    assert chromium is not None, "these tests need a Chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, chromium_sandbox=False)
        context = await browser.new_context()
        await context.tracing.start(screenshots=True, snapshots=True, sources=False)
        page = await context.new_page()
        await page.goto(urljoin(address, LOGIN))
        await page.fill("input[name=txtVaCodeUtils]", "99X9999")
        await page.fill("input[name=txtMotPasse]", PASSWORD)
        await page.click("input[type=submit]")
        await page.wait_for_load_state()
        await page.fill("input[name=txtMotPasse]", PASSWORD)
        await context.tracing.stop(path=trace)
        try:
            yield page
        finally:
            await browser.close()


def everything_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.suffix == ".zip":
            with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as trace:
                yield from (
                    (name, trace.read(name)) for name in trace.namelist() if not name.endswith((".jpeg", ".png"))
                )
        elif path.is_file() and path.suffix != ".png":
            yield path.name, path.read_bytes()


def test_no_password_is_in_any_evidence_not_even_inside_the_trace(address: str, tmp_path: Path) -> None:
    raw, root = tmp_path / "raw.zip", tmp_path / "evidence"

    async def run() -> Path:
        async with signing_in(address, raw) as page:
            assert any(PART.encode() in content for _, content in everything_in(tmp_path)), "the raw trace holds it"
            return await collect(page, root, "job-1", (PASSWORD,), signature=signature(ERROR), trace=raw)

    place = asyncio.run(run())
    assert place == root / signature(ERROR) / "job-1"
    assert sorted(path.name for path in place.iterdir()) == [
        "job-1.html",
        "job-1.png",
        "job-1.trace.zip",
        "job-1.url.txt",
    ]
    assert not raw.exists()
    kept = dict(everything_in(root))
    assert any(name.endswith(".trace") and b"txtMotPasse" in content for name, content in kept.items())
    for name, content in kept.items():
        for encoding in ("utf-8", "cp1252"):
            assert "crit à".encode(encoding) not in content, name
        for written in (b"crit%20", b"crit+", b"main~", b"main%7E", b"crit\\u00"):
            assert written not in content, name


def test_a_burst_of_one_error_keeps_the_newest_examples_within_bounds(address: str, tmp_path: Path) -> None:
    root = tmp_path / "evidence"

    async def run() -> None:
        async with signing_in(address, tmp_path / "raw.zip") as page:
            for n in range(6):
                await collect(page, root, f"job-{n}", (), signature=signature(ERROR), keep=3)
            assert [e.path.name for e in examples(root)] == ["job-5", "job-4", "job-3"]
            await collect(page, root, "job-6", (), signature=signature(ERROR), max_bytes=20_000)

    asyncio.run(run())
    assert sum(e.size for e in examples(root)) <= 20_000
    assert examples(root)[0].path.name == "job-6"
