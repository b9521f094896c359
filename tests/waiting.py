"""Waiting for something to become true, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

T = TypeVar("T")

SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.02


def until(look: Callable[[], T | None], otherwise: str, seconds: float = SECONDS) -> T:
    """The first true answer of `look`; AssertionError with `otherwise` and the last answer when none came in time."""
    deadline = time.monotonic() + seconds
    pause = Event()
    while not (answer := look()):
        assert time.monotonic() < deadline, f"{otherwise} (last seen: {answer!r})"
        pause.wait(LOOK_EVERY_SECONDS)
    return answer
