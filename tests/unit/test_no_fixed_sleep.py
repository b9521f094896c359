"""Nothing of the product waits for a fixed time: a page by what proves it, a process by looking until it is there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SLEEPS = {"time.sleep", "asyncio.sleep", "anyio.sleep", "trio.sleep"}
NEVER = {"wait_for_timeout", "waitForTimeout"}
NO_SLEEP_AT_ALL = ("registre/site", "actors")
"""Where a page, a browser or a message is waited for: these say when they are ready."""


def product() -> list[Path]:
    return sorted(path for folder in ("registre", "actors") for path in (ROOT / folder).rglob("*.py"))


def fixed_sleeps(source: str, *, polling_allowed: bool = True) -> Iterator[tuple[int, str]]:
    """(line, call) of each sleep outside of a loop that looks before each; of every sleep when polling is not allowed."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    looks = {id(inner) for loop in ast.walk(tree) if isinstance(loop, ast.While) for inner in ast.walk(loop)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            written = ast.unparse(node.func)
            called = names.get(written, written)
            if called.rpartition(".")[2] in NEVER or (called in SLEEPS and not (polling_allowed and id(node) in looks)):
                yield node.lineno, written


@pytest.mark.parametrize("path", product(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_waits_for_a_fixed_time(path: Path) -> None:
    where = str(path.relative_to(ROOT))
    found = fixed_sleeps(path.read_text("utf-8"), polling_allowed=not where.startswith(NO_SLEEP_AT_ALL))
    told = [f"{where}:{line} calls {call}" for line, call in found]
    assert not told, f"{'; '.join(told)}: wait for the event, response or landmark that proves the step instead"


@pytest.mark.parametrize(
    ("source", "polling_allowed"),
    [
        ("import time\ntime.sleep(2)", True),
        ("from time import sleep\nsleep(2)", True),
        ("from time import sleep as nap\nnap(2)", True),
        ("import asyncio\nasync def f():\n    await asyncio.sleep(1)", True),
        ("async def f(page):\n    await page.wait_for_timeout(2000)", True),
        ("async def f(page):\n    while True:\n        await page.wait_for_timeout(20)", True),
        ("import time\nwhile not ready():\n    time.sleep(0.1)", False),
    ],
)
def test_a_fixed_sleep_is_found(source: str, polling_allowed: bool) -> None:
    assert list(fixed_sleeps(source, polling_allowed=polling_allowed))


def test_looking_until_a_process_is_there_is_no_fixed_sleep() -> None:
    assert not list(fixed_sleeps("import time\nwhile not ready():\n    time.sleep(0.1)"))
