"""Alerts over HTTP, judged though no worker lives."""

from __future__ import annotations

from collections.abc import Callable

from api.alerts import Watch
from registre.access import Role
from registre.wiring import Store
from tests.api.conftest import Asking
from tests.waiting import until


def waiting(ask: Asking, sql: Callable[..., None]) -> None:
    """An order for which nobody came."""
    ask.order()
    sql("update extraction_queue set created_at = now() - interval '1 hour'")


def test_an_api_judges_alerts_where_no_worker_does(ask: Asking, sql: Callable[..., None], store: Store) -> None:
    waiting(ask, sql)
    watch = Watch(store, 0.05)
    watch.start()
    try:
        until(store.alerts.all, "no alert was opened")
        sql("delete from extraction_queue")
        sql("truncate registre.job_counts")
        until(lambda: not store.alerts.all(), "the alert was not closed")
    finally:
        watch.stop()
        watch.wait()


def test_an_alert_is_a_sentence_in_both_languages_and_says_what_to_do(
    ask: Asking, sql: Callable[..., None], store: Store
) -> None:
    assert ask("GET", "/api/alerts", role=Role.VIEWER).json() == {"alerts": []}
    waiting(ask, sql)
    assert store.alerts.judge() == 1
    [alert] = ask("GET", "/api/alerts", role=Role.VIEWER).json()["alerts"]
    assert (alert["kind"], alert["subject"], alert["closed_at"]) == ("no_worker", "", None)
    assert alert["sentence"]["fr"].startswith("Des commandes attendent (1)")
    assert alert["sentence"]["en"].startswith("Orders wait (1)")
    assert "registre up" in alert["to_do"]["fr"]


def test_what_is_over_is_listed_when_asked_for(ask: Asking, sql: Callable[..., None], store: Store) -> None:
    waiting(ask, sql)
    store.alerts.judge()
    sql("update extraction_queue set created_at = now()")
    store.alerts.judge()
    assert ask("GET", "/api/alerts").json() == {"alerts": []}
    [alert] = ask("GET", "/api/alerts?all=true").json()["alerts"]
    assert alert["closed_at"] is not None
