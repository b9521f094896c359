"""The one thread that does a browser's page work, in the order it is given.

Invariant: what a piece of work results in is told to the actor, and to nobody when the actor is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pykka

from actors.messages import Finished, LookedAfter, Opened, Ref


class Hand:
    """Any thread may ask; it takes nothing more after `finish`."""

    def __init__(self, ref: Ref, name: str) -> None:
        self._ref = ref
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def ask(self, work: Callable[[], Opened | Finished | LookedAfter]) -> None:
        """Do it, and tell the actor what came of it."""

        def run() -> None:
            result = work()
            with suppress(pykka.ActorDeadError):
                self._ref.tell(result)

        self._thread.submit(run)

    def do(self, work: Callable[[], object]) -> None:
        self._thread.submit(work)

    def finish(self, last: Callable[[], None]) -> None:
        """Do this last, and let the thread end."""
        self._thread.submit(last)
        self._thread.shutdown(wait=False)
