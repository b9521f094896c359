"""What Prometheus scrapes: every family is there, and its labels are bounded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from registre.access import Role
from registre.document import DocumentRequest, Source
from registre.errors import ErrorKind
from registre.job import HostFacts, Order
from registre.ledger import Delivery, SecuredFile
from registre.ports import Step
from registre.wiring import Store
from tests.api.conftest import Asking

README = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
MINUTE = timedelta(minutes=1)


def scraped(ask: Asking) -> dict[str, dict[tuple[str, ...], float]]:
    """Family → values of its labels → number."""
    text = ask("GET", "/metrics", role=Role.VIEWER).text
    return {
        family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(text)
    }


def index(number: str) -> Order:
    return Order(DocumentRequest(Source.INDEX, number, "Montréal", "Cadastre du Québec"))


def test_a_day_of_work_is_in_the_numbers(ask: Asking, store: Store, sql: Callable[..., None]) -> None:
    store.fleet.register_host("host-a", "boot-1", "1.0", "a" * 32, MINUTE)
    store.fleet.note_facts("host-a/boot-1", HostFacts(600_000_000, 2, 5_000_000_000))
    store.fleet.note_facts("host-a/an earlier boot", HostFacts(1, 1, 1))
    store.accounts.add("99T0001", "made up")
    [(seat, _)] = store.accounts.claim("host-a/boot-1", 1, MINUTE)
    store.queue.submit([index("1000001")])
    [lease] = store.queue.lease_next("host-a/boot-1", [seat], MINUTE)
    store.queue.note_step(lease, Step.FORM)
    store.queue.note_step(lease, Step.SAVING)
    purchase = store.ledger.intend(lease, "host-a").purchase_id
    assert purchase is not None
    store.ledger.charge(purchase, lease, [])
    store.ledger.secure(purchase, SecuredFile("c" * 64, 1000, 2))
    assert scraped(ask)["registre_spool_documents"] == {("host-a",): 1}
    store.ledger.deliver(Delivery(purchase, "c" * 64, "index", "one.pdf"))
    store.queue.submit([index("1000002"), index("1000003")])
    sql("update extraction_queue set created_at = now() - interval '1 hour' where status = 'En attente'")
    [drifted] = store.queue.lease_next("host-a/boot-1", [seat], MINUTE)
    store.queue.snooze(drifted, MINUTE, "a field is gone", kind=ErrorKind.LAYOUT_CHANGED)
    store.alerts.judge()

    found = scraped(ask)
    assert found["registre_jobs"][("waiting",)] == 2
    assert 3600 <= found["registre_oldest_waiting_seconds"][("index",)] < 3700
    assert found["registre_documents"][("index",)] == 1
    assert found["registre_cost_cents"][("index",)] == 150
    assert set(found["registre_lease_wait_seconds"]) == {("0.5",), ("0.95",)}
    told_of = {value for labels in found["registre_step_seconds"] for value in labels}
    assert told_of == {Step.FORM, Step.SAVING, "0.5", "0.95"}
    assert found["registre_gates_closed"][("frozen",)] == 1
    assert found["registre_source_frozen"] == {("index",): 1, ("acte",): 0, ("plan_cadastraux",): 0}
    assert found["registre_hosts"][("alive",)] == 1
    assert found["registre_host_accounts"] == {("host-a",): 1}
    assert found["registre_session_memory_bytes"] == {("host-a",): 300_000_000}
    assert found["registre_spool_free_bytes"] == {("host-a",): 5_000_000_000}
    assert found["registre_host_seen_seconds"][("host-a",)] < 60
    assert found["registre_alerts"][("drift",)] == 1


def test_words_of_another_program_make_no_label(ask: Asking, sql: Callable[..., None]) -> None:
    for word in ("testament", "plan"):
        sql("insert into extraction_queue (document_source, document_number) values (%s, '12')", word)
    assert set(scraped(ask)["registre_oldest_waiting_seconds"]) == {("other",)}


def test_a_host_that_is_long_gone_has_no_label(ask: Asking, store: Store, sql: Callable[..., None]) -> None:
    store.fleet.register_host("host-a", "boot-1", "1.0", "a" * 32, MINUTE)
    sql("update registre.hosts set seen_at = now() - interval '2 days', until = now() - interval '2 days'")
    found = scraped(ask)
    assert found["registre_hosts"][("silent",)] == 1
    assert found["registre_host_seen_seconds"] == {}


@pytest.mark.usefixtures("store")
def test_every_family_is_in_the_documentation(ask: Asking) -> None:
    told = {name.removesuffix("_total") for name in README.split("`") if name.startswith("registre_")}
    assert told == set(scraped(ask))
