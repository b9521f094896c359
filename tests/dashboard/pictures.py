"""`make pictures`: every page of the dashboard as a picture, of a made-up working day, into docs/pictures."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from api.app import create_app
from registre.access import Role, make_key
from registre.database import schema
from registre.database.gateway import DirectGateway
from registre.database.server import EmbeddedServer
from registre.site.chromium import ensure_chromium
from tests.api.conftest import running
from tests.dashboard.stage import Stage, working_day

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"


def say(line: str) -> None:
    sys.stderr.write(f"pictures: {line}\n")


def main() -> None:
    chromium = ensure_chromium(None, say=say)
    home = Path(tempfile.mkdtemp(prefix="registre-pictures-"))
    try:
        with EmbeddedServer(home) as server:
            dsn = server.start()
            with DirectGateway(dsn) as gateway:
                schema.upgrade(gateway)
                stage = Stage(gateway, home)
                ids = working_day(stage, say)
                key = make_key()
                stage.store.keys.add(key, "marie", Role.ADMIN, "the pictures")
                with running(create_app(stage.store)) as address, sync_playwright() as playwright:
                    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                    draw(browser, address, key.text, ids)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def draw(browser: Browser, address: str, key: str, ids: dict[str, str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    pages = {
        "overview": "/",
        "orders": "/orders",
        "order": f"/orders/{ids['done']}",
        "failures": "/failures",
        "batches": "/batches",
        "batch": f"/batches/{ids['batch']}",
        "accounts": "/accounts",
        "gates": "/gates",
        "costs": "/costs",
        "audit": "/audit",
    }
    for suffix, scheme, locale, width in (
        ("", "light", "fr-CA", 1280),
        ("-dark", "dark", "en-CA", 1280),
        ("-phone", "light", "fr-CA", 390),
    ):
        context = browser.new_context(
            color_scheme=scheme,  # type: ignore[arg-type]
            locale=locale,
            timezone_id="America/Toronto",
            viewport={"width": width, "height": 900},
        )
        tab = context.new_page()
        tab.goto(f"{address}/sign-in")
        tab.screenshot(path=FOLDER / f"sign-in{suffix}.png")
        tab.fill("input[name=key]", key)
        tab.press("input[name=key]", "Enter")
        tab.wait_for_selector("#count-queued")
        for name, path in pages.items():
            tab.goto(address + path)
            tab.evaluate(
                "Promise.all([...document.images].map(image => { image.loading = 'eager'; return image.decode() }))"
            )
            tab.screenshot(path=FOLDER / f"{name}{suffix}.png", full_page=True)
            say(f"{name}{suffix}.png")
        context.close()


if __name__ == "__main__":
    main()
