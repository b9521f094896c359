"""What the browser host does with errors that nobody asks for."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Error as PlaywrightError

from registre.site.host import _note_stray


def left_behind(error: BaseException) -> None:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(_note_stray)
    loop.call_exception_handler({"message": "Task exception was never retrieved", "exception": error})
    loop.close()


@pytest.mark.parametrize("error", [PlaywrightError("Target closed"), TimeoutError(), Exception("Connection closed")])
def test_what_a_dead_browser_leaves_behind_is_no_error_of_ours(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    left_behind(error)
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


def test_a_fault_of_ours_on_the_loop_is_told_in_full(caplog: pytest.LogCaptureFixture) -> None:
    left_behind(KeyError("ours"))
    assert "Task exception was never retrieved" in caplog.text
    assert "KeyError" in caplog.text
