"""What a page looked like when something went wrong: a picture, its HTML, its address.

Invariant: nothing typed as a secret and no cookie is in it.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

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


async def collect(page: Page, folder: Path, label: str, secrets: tuple[str, ...]) -> None:
    """Write `label.png`, `label.html` (each frame after the other) and `label.url.txt` into `folder`.

    Empties the password fields of the page itself first. Foreign errors and OSError pass.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", label).strip("._") or "page"
    documents: list[str] = []
    addresses: list[str] = []
    for frame in page.frames:
        try:
            await frame.evaluate(_FORGET_SECRETS)
            content = await frame.content()
        except PlaywrightError:
            content = ""
        documents.append(f"<!-- {frame.name or 'main'}: {frame.url} -->\n{content}")
        addresses.append(f"{frame.name or 'main'} {frame.url}")
    await asyncio.to_thread(
        _write, folder, name, _without(secrets, "\n".join(documents)), _without(secrets, "\n".join(addresses))
    )
    await page.screenshot(path=folder / f"{name}.png", timeout=_PICTURE_MILLISECONDS)


def _write(folder: Path, name: str, html: str, addresses: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.html").write_text(html, encoding="utf-8")
    (folder / f"{name}.url.txt").write_text(addresses + "\n", encoding="utf-8")


def _without(secrets: tuple[str, ...], text: str) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "•••")
    return text
