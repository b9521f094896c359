"""A whole attempt on a real database and a real disk, cut off where it hurts: bought once, delivered once, never stuck."""

from __future__ import annotations

from pathlib import Path

import pytest

from registre.account import AccountId, Credentials
from registre.delivery import Deliverer
from registre.document import DocumentRequest, Source
from registre.errors import DatabaseUnavailable
from registre.extraction import Ended, Extraction, Means, Outcome, Secured
from registre.job import JobId, Lease, LeaseToken, Order
from registre.spool import Spool
from registre.wiring import Store
from tests.desk import HOST, VISIBILITY, Desk
from tests.fakes import FakeRegistry, FakeSession

LOT = DocumentRequest(Source.INDEX, "2784195", "Montréal", "Cadastre du Québec")
WAITING, RUNNING, DONE, FAILED = "En attente", "En traitement", "Complété", "Erreur"


class Crash(BaseException):
    """The process ends here."""


class Host:
    """One host: its disk, its registry, and the same database as everybody's."""

    def __init__(self, store: Store, desk: Desk, folder: Path) -> None:
        self.store, self.desk = store, desk
        self.spool = Spool(folder)
        self.spool.prepare()
        self.deliverer = Deliverer(self.spool, store.bucket, store.ledger)
        self.registry = FakeRegistry()

    def lease(self) -> Lease:
        [held] = self.desk.lease(self.desk.seats(1))
        request = self.store.views.job(JobId(held.id)).request
        return Lease(
            JobId(held.id),
            LeaseToken(held.token),
            "host-a/boot-1",
            AccountId(held.account),
            self.desk.now,
            1,
            3,
            request,
        )

    def work(self, lease: Lease) -> Outcome:
        means = Means(self.store.queue, self.store.ledger, self.spool, HOST, Path("evidence"), self.store.sentences)
        return Extraction(means, lease, self.session(lease), lambda _: None).run()

    def session(self, lease: Lease) -> FakeSession:
        session = self.registry.open_session(Credentials(lease.account_id, "marie", "secret"), lambda _: None)
        session.sign_in()
        return session

    def restart(self) -> list[str]:
        """What a worker does at its start."""
        with self.spool.owned():
            self.deliverer.recover()
            return [self.deliverer.deliver(purchase) for purchase in self.deliverer.pending()]


@pytest.fixture
def host(store: Store, desk: Desk, tmp_path: Path) -> Host:
    return Host(store, desk, tmp_path / "spool")


def order(store: Store, request: DocumentRequest = LOT) -> JobId:
    return store.queue.submit([Order(request)])[0]


def test_an_order_becomes_a_document(host: Host, store: Store, desk: Desk) -> None:
    job = order(store)
    outcome = host.work(host.lease())
    assert isinstance(outcome, Secured)
    assert host.deliverer.deliver(outcome.purchase_id) == "completed"
    row = desk.job(job)
    assert (row["status"], row["cost_cents"]) == (DONE, 150)
    bucket, _, key = row["supabase_path"].partition("/")
    assert store.bucket.fetch(bucket, key).startswith(b"%PDF-")
    assert len(host.registry.bill) == 1


CRASHES = {
    "before the click": ("registre.spool.Spool.begin", 0, "Erreur", "ambiguous_purchase"),
    "before the rename": ("registre.spool.Spool.keep", 1, "Complété", None),
    "after the rename": ("registre.store.ledger.Purchases.secure", 1, "Complété", None),
}


@pytest.mark.parametrize(("where", "billed", "status", "kind"), CRASHES.values(), ids=CRASHES)
@pytest.mark.parametrize("judged", [False, True], ids=["back at once", "judged meanwhile"])
def test_a_worker_killed_while_buying_never_buys_twice(
    host: Host, store: Store, desk: Desk, monkeypatch: pytest.MonkeyPatch, where: str, billed: int, status: str,
    kind: str | None, *, judged: bool,
) -> None:  # fmt: skip
    job = order(store)

    def crash(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as killed:
        killed.setattr(where, crash)
        with pytest.raises(Crash):
            host.work(host.lease())
    assert desk.state(job) == (RUNNING, None)
    if judged:
        desk.pass_time(VISIBILITY + 1)
        assert desk.reclaim() == [(job, "ambiguous_purchase")]
    assert host.restart() == ["completed"] * (status == DONE)
    desk.pass_time(VISIBILITY + 1)
    desk.reclaim()
    assert desk.state(job) == (status, kind)
    assert len(host.registry.bill) == billed
    assert host.restart() == []


def test_a_database_away_from_the_charge_on_loses_nothing(
    host: Host, store: Store, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = order(store)

    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("The database does not answer.")

    with monkeypatch.context() as meanwhile:
        for function in ("charge", "secure", "deliver"):
            meanwhile.setattr(f"registre.store.ledger.Purchases.{function}", away)
        outcome = host.work(host.lease())
        assert isinstance(outcome, Secured)
        with pytest.raises(DatabaseUnavailable):
            host.deliverer.deliver(outcome.purchase_id)
    desk.pass_time(VISIBILITY + 1)
    desk.reclaim()
    assert host.restart() == ["completed"]
    assert desk.state(job) == (DONE, None)
    assert desk.job(job)["cost_cents"] == 150


def test_an_owner_judged_dead_before_its_intent_buys_nothing(host: Host, store: Store, desk: Desk) -> None:
    job = order(store)
    lease = host.lease()
    desk.sql("update extraction_queue set lease_until = now() - interval '1 second' where id = %s", job)
    assert desk.reclaim() == [(job, "reclaimed")]
    assert isinstance(host.work(lease), Ended), "the lease was lost before the intent"
    assert host.registry.bill == []
    assert desk.state(job) == (WAITING, None)


FOREIGN = {
    "an unknown source": ("testament", "5", "Montréal", None, "Acte", "document_source"),
    "no cadastre": ("index", "2784195", "Montréal", None, None, "cadastre"),
    "no number": ("acte", " ", "Montréal", None, "Acte", "document_number"),
    "a number too long": ("acte", "9" * 5000, "Montréal", None, "Acte", "document_number"),
    "a place too long": ("acte", "5", "x" * 5000, None, "Acte", "circonscription_fonciere"),
    "a control character": ("acte", "5", "Mont\x07réal", None, "Acte", "circonscription_fonciere"),
}


@pytest.mark.parametrize(
    ("source", "number", "circonscription", "cadastre", "acte_type", "field"), FOREIGN.values(), ids=FOREIGN
)
def test_a_row_of_another_program_that_nobody_can_serve_ends_and_blocks_nobody(
    host: Host, store: Store, desk: Desk, source: str, number: str, circonscription: str, cadastre: str | None,
    acte_type: str | None, field: str,
) -> None:  # fmt: skip
    [row] = desk.sql(
        "insert into extraction_queue (document_source, document_number, circonscription_fonciere, cadastre, acte_type) "
        "values (%s, %s, %s, %s, %s) returning id::text",
        source, number, circonscription, cadastre, acte_type,
    )  # fmt: skip
    good = order(store)
    assert isinstance(host.work(host.lease()), Ended)
    assert desk.state(row["id"]) == (FAILED, "invalid_order")
    assert desk.job(row["id"])["error_message"].startswith(f"{field}: ")
    assert str(store.views.job(JobId(row["id"])).request.source) == source
    [next_one] = desk.lease(desk.seats(1))
    assert next_one.id == good
