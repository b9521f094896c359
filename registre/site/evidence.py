"""What a page looked like when something went wrong: a picture, its HTML, its address, and the driver's trace if there is one.

Invariant: nothing typed as a secret and no cookie is in it, and all evidence together never outgrows the bytes allowed.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from registre.evidence import KEPT_EXAMPLES, MAX_BYTES, prune
from registre.redaction import clean_trace, redact

_FORGET_SECRETS = r"""
() => {
  for (const input of document.querySelectorAll('input[type="password" i]')) {
    input.value = '';
    input.removeAttribute('value');
  }
}
"""
_PICTURE_MILLISECONDS = 5000

_MAX_DOCUMENT = 2_000_000
"""Characters of HTML that are kept of all frames; the registry's pages have some ten thousand."""


def stem(label: str) -> str:
    """The label as a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", label).strip("._")[:80] or "page"


def place_of(folder: Path, label: str, signature: str | None) -> Path:
    """Where `collect` puts an example: below its error's signature, or loose in the evidence folder."""
    return folder / signature / stem(label) if signature else folder


async def collect(
    page: Page,
    folder: Path,
    label: str,
    secrets: tuple[str, ...],
    *,
    signature: str | None = None,
    trace: Path | None = None,
    max_bytes: int = MAX_BYTES,
    keep: int = KEPT_EXAMPLES,
) -> Path:
    """Write `label.png`, `label.html` (each frame after the other), `label.url.txt` and `label.trace.zip`; return where.

    `folder` is the evidence of the whole host. With a `signature` (`registre.evidence.signature`) the example has a folder of
    its own, and only the `keep` newest of that error stay. `max_bytes` is what all of `folder` may weigh afterwards. `trace` is
    a finished trace: its cleaned copy is kept, and itself removed, because passwords are in it. Empties the password fields of
    the page first. Foreign errors and OSError pass, after what was written is within bounds.
    """
    place, name = place_of(folder, label, signature), stem(label)
    try:
        documents: list[str] = []
        addresses: list[str] = []
        for frame in page.frames:
            try:
                await frame.evaluate(_FORGET_SECRETS)
                document = await frame.content()
            except PlaywrightError:
                document = ""
            documents.append(f"<!-- {frame.name or 'main'}: {frame.url} -->\n{document}")
            addresses.append(f"{frame.name or 'main'} {frame.url}")
        content, urls = (redact("\n".join(lines), secrets)[:_MAX_DOCUMENT] for lines in (documents, addresses))
        await asyncio.to_thread(_write, folder, place, name, content, urls)
        if trace is not None:
            await asyncio.to_thread(clean_trace, trace, place / f"{name}.trace.zip", secrets, max_bytes // 2)
        await page.screenshot(path=place / f"{name}.png", timeout=_PICTURE_MILLISECONDS)
    finally:
        await asyncio.to_thread(_tidy, folder, trace, max_bytes, keep)
    return place


def _write(folder: Path, place: Path, name: str, content: str, addresses: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.html").write_text(content, encoding="utf-8")
    (place / f"{name}.url.txt").write_text(addresses + "\n", encoding="utf-8")


def _tidy(folder: Path, trace: Path | None, max_bytes: int, keep: int) -> None:
    if trace is not None:
        trace.unlink(missing_ok=True)
    prune(folder, max_bytes=max_bytes, keep=keep)
