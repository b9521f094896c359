"""What a page looked like when something went wrong: a picture, its HTML, its address.

Invariant: nothing typed as a secret and no cookie is in it.
"""

from __future__ import annotations

import asyncio
import html
import re
from pathlib import Path
from urllib.parse import quote, quote_plus

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

_FORGET_SECRETS = r"""
() => {
  for (const input of document.querySelectorAll('input[type="password" i]')) {
    input.value = '';
    input.removeAttribute('value');
  }
}
"""
_PICTURE_MILLISECONDS = 5000


def stem(label: str) -> str:
    """The label as a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", label).strip("._")[:80] or "page"


async def collect(page: Page, folder: Path, label: str, secrets: tuple[str, ...]) -> None:
    """Write `label.png`, `label.html` (each frame after the other) and `label.url.txt` into `folder`.

    Empties the password fields of the page itself first. Foreign errors and OSError pass.
    """
    name = stem(label)
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
    content, urls = (_without(secrets, "\n".join(lines)) for lines in (documents, addresses))
    await asyncio.to_thread(_write, folder, name, content, urls)
    await page.screenshot(path=folder / f"{name}.png", timeout=_PICTURE_MILLISECONDS)


def _write(folder: Path, name: str, content: str, addresses: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.html").write_text(content, encoding="utf-8")
    (folder / f"{name}.url.txt").write_text(addresses + "\n", encoding="utf-8")


def _without(secrets: tuple[str, ...], text: str) -> str:
    for secret in secrets:
        for written in {
            secret,
            html.escape(secret),
            html.escape(secret, quote=False),
            quote(secret),
            quote_plus(secret),
        }:
            text = text.replace(written, "•••") if written else text
    return text
