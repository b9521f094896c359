"""A whole worker on the twin: its idle session is kept or left as the twin counts it, and learns what it lets live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pykka
import pytest

from actors.browser import Browser
from actors.fleet import Fleet
from actors.messages import AskStatus, BrowserStatus
from registre.document import DocumentRequest, Source
from registre.job import JobId, Order, Status
from registre.settings import Settings
from registre.site.chromium import find_chromium
from registre.site.profile import load_profile
from registre.site.registry import SiteRegistry
from registre.twin import paths
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.server import TwinServer
from registre.wiring import Store
from tests.actors.host import look_after
from tests.site.clock import Clock
from tests.waiting import SECONDS, until

USER, PASSWORD = demo_accounts(1)[0]
NEAR = 970
"""Seconds: more than four fifths of the profile's 20 minutes."""


class Worker:
    """One account's worker on a twin; time passes for both when the test says so."""

    def __init__(self, twin: TwinServer, clock: Clock, store: Store) -> None:
        self.twin = twin
        self.clock = clock
        self.store = store

    def states(self) -> list[str]:
        answers = [ref.ask(AskStatus(), timeout=SECONDS) for ref in pykka.ActorRegistry.get_by_class(Browser)]
        return [answer.state for answer in answers if isinstance(answer, BrowserStatus)]

    def until_state(self, state: str) -> None:
        until(lambda: self.states() == [state], f"the browser did not come to {state}")

    def idle_for(self, seconds: float) -> None:
        """Time passes, and the ticker looks after the session."""
        self.clock.pass_time(seconds)
        self.look()

    def look(self) -> None:
        """As the ticker does; a browser that is still looking after its session does not look twice."""
        for browser in pykka.ActorRegistry.get_by_class(Browser):
            look_after(browser)

    def is_kept(self, forms: int) -> bool:
        """True once the session has asked for one form more than `forms`."""
        self.look()
        return self.forms == forms + 1

    def order(self, number: str) -> JobId:
        request = DocumentRequest(Source.INDEX, number, "Laval", "Cadastre du Québec")
        [job_id] = self.store.queue.submit([Order(request)])
        return job_id

    def until_done(self, job_id: JobId) -> None:
        until(lambda: self.store.views.job(job_id).status is Status.DONE, "the order was not served")
        self.until_state("idle")

    @property
    def logins(self) -> int:
        return self.twin.twin.traffic.logins[USER]

    @property
    def sign_outs(self) -> int:
        return self.twin.twin.traffic.sign_outs[USER]

    @property
    def forms(self) -> int:
        return self.twin.twin.traffic.paths[paths.FORMS[Source.INDEX]]


@pytest.fixture
def worker(store: Store, tmp_path: Path) -> Iterator[Worker]:
    chromium, clock = find_chromium(None), Clock()
    assert chromium is not None, "these tests need a Chromium"
    settings = Settings(_env_file=None, home=tmp_path / "home", host="host-a", drain_seconds=20)
    with TwinServer(TwinConfig(loading_seconds=0.05, clock=clock.now)) as twin:
        registry = SiteRegistry(base_url=twin.base_url, profile=load_profile(), chromium=chromium, clock=clock.seconds)
        store.accounts.add(USER, PASSWORD)
        fleet = Fleet(settings, store, registry)
        worker = Worker(twin, clock, store)
        try:
            fleet.start()
            worker.until_state("idle")
            yield worker
        finally:
            drained = fleet.drain()
            registry.close()
        assert drained
        assert twin.twin.sessions.live() == [], "the drain left a session at the site"


def test_a_worker_keeps_leaves_finds_again_and_learns_its_sessions(worker: Worker) -> None:
    twin, gates = worker.twin, worker.store.gates
    worker.until_done(worker.order("4 300 001"))
    assert worker.logins == 1

    # Work is due, once the breaker lets it through: the session is kept, by one free page each time.
    for _ in range(gates.rules().breaker_failures):
        gates.site_away("503.")
    waiting, bought = worker.order("4 300 002"), len(twin.ledger())
    for kept in (1, 2):
        forms = worker.forms
        worker.idle_for(NEAR)
        until(partial(worker.is_kept, forms), f"it was not kept alive {kept} times")
        worker.until_state("idle")
    assert (len(twin.ledger()), worker.sign_outs) == (bought, 0)
    gates.site_answered()
    worker.until_done(waiting)
    assert worker.logins == 1, "the session lived for half an hour"

    # Nothing is due: the session leaves the site, and an order signs in again.
    worker.idle_for(NEAR)
    worker.until_state("signed out")
    assert (worker.sign_outs, twin.twin.sessions.live()) == (1, [])
    worker.until_done(worker.order("4 300 003"))
    assert worker.logins == 2

    # The site ends sessions sooner than assumed: the order is served all the same, and the next session leaves in time.
    worker.clock.pass_time(1100)
    twin.faults.set("expire_session", {"count": 1, "page": "form"})
    worker.until_done(worker.order("4 300 004"))
    assert worker.logins == 3
    learnt = until(lambda: worker.store.idleness.learnt().limit, "nothing was learnt")
    assert timedelta(seconds=1100) <= learnt < timedelta(seconds=1150)
    worker.idle_for(930)
    worker.until_state("signed out")
    assert worker.sign_outs == 2

    # It ends signed in, and the drain leaves no session behind.
    worker.until_done(worker.order("4 300 005"))
    assert len(twin.twin.sessions.live()) == 1
    assert len(twin.ledger()) == len({line.number_normalized for line in twin.ledger()}) == 5
