"""Foreign errors of the browser side, made ours once.

Invariant: no message of Playwright reaches a person beyond its first line, because the rest may hold what was typed.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import CancelledError as FutureCancelledError

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from registre.errors import BrowserFailed, RegistreError

FOREIGN = (PlaywrightError, asyncio.TimeoutError, TimeoutError, FutureCancelledError, ConnectionError)
"""What the browser side throws: a page too slow, a browser that went, a driver that went, a budget used up."""

_GONE = ("has been closed", "Target closed", "Target crashed", "Page crashed", "Connection closed")
_CALL = re.compile(r"^\w+\.\w+: ")  # `Page.query_selector: `


def first_line(error: BaseException) -> str:
    """`Page.goto: net::ERR_CONNECTION_REFUSED at http://…`, without the call log."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def without_call(error: BaseException) -> str:
    """The first line without the name of the browser's call, which tells a clerk nothing."""
    return _CALL.sub("", first_line(error))


def network_error(error: BaseException) -> str | None:
    """`net::ERR_CONNECTION_REFUSED` when the network refused a page, else None."""
    line = first_line(error)
    start = line.find("net::ERR_")
    return line[start:].split()[0] if start >= 0 else None


def as_ours(error: BaseException, what: str) -> RegistreError:
    """The error of our tree that stands for a foreign one met while `what` (a gerund) was under way."""
    if isinstance(error, RegistreError):
        return error
    if isinstance(error, PlaywrightTimeout):
        return BrowserFailed(f"The page did not answer in time while {what}.")
    if isinstance(error, PlaywrightError):
        line = first_line(error)
        if any(gone in line for gone in _GONE):
            return BrowserFailed(f"The browser was lost or closed while {what}.")
        return BrowserFailed(f"The browser failed while {what}: {without_call(error)}.")
    if isinstance(error, TimeoutError):
        return BrowserFailed(f"The time allowed was used up while {what}.")
    if isinstance(error, FutureCancelledError):
        return BrowserFailed(f"The browser was lost or closed while {what}.")
    return BrowserFailed(f"The connection to the browser was lost while {what}.")
