"""A worker that kills itself at a named point: `python -m tests.faults.worker POINT REGISTRY`.

It is the real fleet over wrapped ports; home and database come from the environment, as for `registre up`. REGISTRY is the
address of a site, or the file in which a fake registry keeps its bill. POINT may be 'after_charge:3': the third time it comes
there. 'never' only works, until its stdin ends. Before it dies it notes in DEATHS, in its home, what it was about.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any

from actors.fleet import Fleet
from registre.database.gateway import DirectGateway
from registre.log import configure
from registre.ports import Registry, Step
from registre.settings import load_settings
from registre.storage import local
from registre.wiring import Store, open_registry, open_store
from tests.fakes import FakeRegistry

POINTS = {
    "after_lease": "the job is leased, the browser has not heard of it",
    "after_intent": "the intent is written, nothing was clicked",
    "after_click": "the browser sends what the click asks for, nothing is answered",
    "while_loading": "the site prepares the document",
    "at_viewer": "the viewer is open, the charge is not written",
    "after_charge": "the charge is written, nothing is saved",
    "after_download": "the file is saved, nothing says that it is safe",
    "after_rename": "the file is in the spool, the ledger does not know",
    "after_secure": "the ledger knows, the bucket has nothing",
    "during_upload": "the bucket's copy is half written",
    "after_upload": "the bucket has it, the row is open",
    "before_ack": "the bucket has it, the ack is about to be sent",
    "during_ack": "the ack is sent, its answer is not read",
    "before_cleanup": "the row is closed, the spool still has its copy",
    "at_sync": "any step of the spool or the bucket, before the disk has it",
    "at_call": "any call of the database is done, its answer is not read",
}
"""Where it can die, in the order of a job's life; the last two are everywhere in it."""

ON_THE_TWIN = ("after_click", "while_loading", "at_sync", "at_call")
"""Points that only a real browser comes to, or that are too many for one order."""

DEATHS = "deaths.jsonl"


class Wrapped:
    """Another object, but for the methods given."""

    def __init__(self, inner: Any, **methods: Callable[..., Any]) -> None:
        self._inner = inner
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        return self._methods.get(name) or getattr(self._inner, name)


class Reaper:
    """Counts how often this process came to its point, and ends it there."""

    def __init__(self, point: str, nth: int, note: Path) -> None:
        self._point = point
        self._left = nth
        self._note = note
        self._guard = Lock()

    def come(self, about: str) -> None:
        """Whoever comes here for the last time stays: no other thread of a dying process goes on from its point."""
        with self._guard:
            self._left -= 1
            if self._left <= 0:
                with self._note.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"point": self._point, "about": about}) + "\n")
                os.kill(os.getpid(), signal.SIGKILL)

    def after(self, inner: Any, name: str, about: Callable[..., str]) -> Wrapped:
        """`inner`, whose method `name` is the last thing this process does. `about` is given the result and the arguments;
        no answer, no death."""
        real = getattr(inner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            result = real(*arguments, **named)
            if subject := about(result, *arguments):
                self.come(subject)
            return result

        return Wrapped(inner, **{name: call})

    def before(self, inner: Any, name: str, about: Callable[..., str]) -> Wrapped:
        real = getattr(inner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self.come(about(None, *arguments))
            return real(*arguments, **named)

        return Wrapped(inner, **{name: call})

    def during(self, inner: Any, name: str, about: Callable[..., str]) -> Wrapped:
        """At an instant of the call that chance picks."""
        real = getattr(inner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            killer = Thread(target=self.come, args=(about(None, *arguments),), daemon=True)
            killer.start()
            return real(*arguments, **named)

        return Wrapped(inner, **{name: call})

    def session(self, session: Any, point: str) -> Any:
        """A session that dies at one of its points."""
        match point:
            case "at_viewer":
                return self.after(session, "submit", lambda _, request: request.number_normalized)
            case "after_download":
                return self.after(session, "save", lambda _, target: target.parent.name)
            case "after_click":
                session._submit = self._until_sent(session)
            case "while_loading":
                session._on_step = self._until_loading(session)
        return session

    def _until_sent(self, session: Any) -> Callable[..., Any]:
        real = session._submit

        async def submit(request: Any, permit: Any) -> Any:
            page = session._tab.page

            def send(asked: Any) -> None:
                if asked.is_navigation_request():
                    page.remove_listener("request", send)
                    self.come(request.number_normalized)

            page.on("request", send)
            try:
                return await real(request, permit)
            finally:
                with suppress(KeyError):
                    page.remove_listener("request", send)

        return submit

    def _until_loading(self, session: Any) -> Callable[[Step], None]:
        real = session._on_step

        def step(reached: Step) -> None:
            if reached is Step.WAITING_VIEWER:
                self.come("")
            real(reached)

        return step

    def _die_half_copied(self) -> None:
        def half(source: IO[bytes], copy: IO[bytes]) -> None:
            content = Path(source.name)
            copy.write(source.read(content.stat().st_size // 2))
            copy.flush()
            self.come(content.parent.name)
            copy.write(source.read())

        vars(local)["shutil"] = Wrapped(shutil, copyfileobj=half)

    def _die_after_a_call(self) -> None:
        real = DirectGateway.call

        def call(gateway: DirectGateway, function: str, /, **arguments: Any) -> list[dict[str, Any]]:
            rows = real(gateway, function, **arguments)
            self.come(function)
            return rows

        DirectGateway.call = call  # type: ignore[method-assign]

    def store(self, store: Store, point: str) -> Store:
        """The stores, one of which dies at its point."""
        queue: Any = store.queue
        ledger: Any = store.ledger
        bucket: Any = store.bucket
        match point:
            case "after_lease":
                queue = self.after(queue, "lease_next", lambda leases, *_: ",".join(each.job_id for each in leases))
            case "after_intent":
                ledger = self.after(ledger, "intend", lambda intent, *_: intent.purchase_id)
            case "after_charge":
                ledger = self.after(ledger, "charge", lambda _, purchase, *__: purchase)
            case "after_rename":
                ledger = self.before(ledger, "secure", lambda _, purchase, *__: purchase)
            case "after_secure":
                ledger = self.after(ledger, "secure", lambda _, purchase, *__: purchase)
            case "during_upload":
                self._die_half_copied()
            case "after_upload":
                bucket = self.after(bucket, "put", lambda _, __, ___, content, *____: content.parent.name)
            case "before_ack":
                ledger = self.before(ledger, "deliver", lambda _, delivery: delivery.purchase_id)
            case "at_sync":
                os.fsync = self.before(os, "fsync", lambda *_: "").fsync
            case "at_call":
                self._die_after_a_call()
            case "during_ack":
                ledger = self.during(ledger, "deliver", lambda _, delivery: delivery.purchase_id)
            case "before_cleanup":
                ledger = self.after(ledger, "deliver", lambda _, delivery: delivery.purchase_id)
        return replace(store, queue=queue, ledger=ledger, bucket=bucket)


def main(point: str, where: str, until: Callable[[], object] = sys.stdin.read) -> None:
    """Work until `until` returns, or until the point."""
    name, _, nth = point.partition(":")
    if name not in (*POINTS, "never"):
        sys.exit(f"no such point: {name}")
    settings = load_settings()
    configure("INFO")
    fake = not where.startswith("http")
    if not fake:
        settings = settings.model_copy(update={"base_url": where})
    reaper = Reaper(name, int(nth or 1), settings.home / DEATHS)
    with (
        open_store(settings) as store,
        nullcontext(FakeRegistry(Path(where))) if fake else open_registry(settings, store.forms, say=print) as real,
    ):
        registry: Any = real

        def open_session(*arguments: Any) -> Any:
            return reaper.session(registry.open_session(*arguments), name)

        work(
            Fleet(settings, reaper.store(store, name), as_registry(Wrapped(registry, open_session=open_session))), until
        )


def as_registry(registry: Any) -> Registry:
    return registry  # type: ignore[no-any-return]


def work(fleet: Fleet, until: Callable[[], object]) -> None:
    fleet.start()
    until()
    if not fleet.drain():
        sys.exit("the drain was not clean")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
