"""A worker that kills itself at a named point: `python -m tests.faults.worker POINT REGISTRY`.

It is the real fleet over wrapped ports; home and database come from the environment, as for `registre up`. REGISTRY is the
address of a site, or the file in which a fake registry keeps its bill. POINT 'never' only works, until its stdin ends.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from actors.fleet import Fleet
from registre.log import configure
from registre.ports import Registry
from registre.settings import load_settings
from registre.wiring import open_registry, open_store
from tests.fakes import FakeRegistry

POINTS = {
    "after_lease": "the job is leased, the browser has not heard of it",
    "after_intent": "the intent is written, nothing was clicked",
    "after_submit": "the viewer is open, the charge is not written",
    "after_charge": "the charge is written, nothing is saved",
    "after_download": "the file is saved, nothing says that it is safe",
    "after_rename": "the file is in the spool, the ledger does not know",
    "after_secure": "the ledger knows, the bucket has nothing",
    "after_upload": "the bucket has it, the row is open",
    "before_cleanup": "the row is closed, the spool still has its copy",
}
"""Where it can die, in the order of a job's life."""


class Wrapped:
    """Another object, but for the methods given."""

    def __init__(self, inner: Any, **methods: Callable[..., Any]) -> None:
        self._inner = inner
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name) or getattr(self._inner, name)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(inner: Any, name: str, *, before: bool = False, when: Callable[[Any], object] = lambda _: True) -> Wrapped:
    """`inner`, whose method `name` is the last thing this process does, or does not even do."""
    real = getattr(inner, name)

    def call(*arguments: Any, **named: Any) -> Any:
        if before:
            die()
        result = real(*arguments, **named)
        if when(result):
            die()
        return result

    return Wrapped(inner, **{name: call})


def dying_session(registry: Any, name: str) -> Wrapped:
    return Wrapped(registry, open_session=lambda *arguments: dying(registry.open_session(*arguments), name))


def main(point: str, where: str) -> None:
    settings = load_settings()
    configure("INFO")
    fake = not where.startswith("http")
    if not fake:
        settings = settings.model_copy(update={"base_url": where})
    with (
        open_store(settings) as store,
        nullcontext(FakeRegistry(Path(where))) if fake else open_registry(settings, say=print) as real,
    ):
        registry: Any = real
        match point:
            case "after_lease":
                store = replace(store, queue=dying(store.queue, "lease_next", when=bool))
            case "after_intent":
                store = replace(store, ledger=dying(store.ledger, "intend", when=lambda intent: intent.purchase_id))
            case "after_submit":
                registry = dying_session(registry, "submit")
            case "after_charge":
                store = replace(store, ledger=dying(store.ledger, "charge"))
            case "after_download":
                registry = dying_session(registry, "save")
            case "after_rename":
                store = replace(store, ledger=dying(store.ledger, "secure", before=True))
            case "after_secure":
                store = replace(store, ledger=dying(store.ledger, "secure"))
            case "after_upload":
                store = replace(store, bucket=dying(store.bucket, "put"))
            case "before_cleanup":
                store = replace(store, ledger=dying(store.ledger, "deliver"))
            case "never":
                pass
            case _:
                sys.exit(f"no such point: {point}")
        work(Fleet(settings, store, as_registry(registry)))


def as_registry(registry: Any) -> Registry:
    return registry  # type: ignore[no-any-return]


def work(fleet: Fleet) -> None:
    fleet.start()
    sys.stdin.read()
    if not fleet.drain():
        sys.exit("the drain was not clean")


if __name__ == "__main__":
    main(*sys.argv[1:])
