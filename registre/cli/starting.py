"""How a program that runs until it is told to stop begins, and ends.

Invariant: one that waits for what it needs says why, and looks again later each time, so that a night without it fills neither
the processor nor the log.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from threading import Event
from types import FrameType
from typing import Annotated, TypeVar

import typer

from registre.errors import Unavailable
from registre.retry import backoff
from registre.settings import Settings
from registre.wiring import Store, open_store

log = logging.getLogger(__name__)

AGAIN = timedelta(seconds=1)
AGAIN_AT_MOST = timedelta(minutes=1)

WaitFlag = Annotated[
    bool,
    typer.Option(
        "--wait", help="Wait for what is away at start, as the database or the port, instead of ending with 75."
    ),
]
T = TypeVar("T")


@contextmanager
def store_when_there(settings: Settings, stop: Event, *, wait: bool) -> Iterator[Store]:
    """The stores; if asked, as soon as the database answers. Ends the command when it is stopped before."""
    with ExitStack() as stack:
        yield when_there(lambda: stack.enter_context(open_store(settings)), stop, wait=wait)


def when_there(begin: Callable[[], T], stop: Event, *, wait: bool) -> T:
    """What `begin` returns; if asked, it is called until what it needs is there. Ends the command when it is stopped before."""
    tries = 0
    while True:
        try:
            return begin()
        except Unavailable as error:
            if not wait:
                raise
            tries += 1
            pause = backoff(tries, base=AGAIN, cap=AGAIN_AT_MOST).total_seconds()
            log.warning("%s Trying again in %.0f s.", error, pause)
        if stop.wait(pause):
            raise typer.Exit(0)


def stop_on_signals() -> Event:
    """Set by the first SIGINT or SIGTERM; a second one ends the process at once, as if it were killed."""
    stop = Event()

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    return stop
