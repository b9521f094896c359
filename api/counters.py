"""What Prometheus scrapes, read from the store at each scrape.

Invariant: nothing is counted in this process, so that every API of one database tells the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from registre.budget import CostBy
from registre.job import Status
from registre.language import TORONTO
from registre.wiring import Store

_STATES = {Status.WAITING: "waiting", Status.RUNNING: "active", Status.DONE: "completed", Status.FAILED: "failed"}


class StoreCollector(Collector):
    """Reads when it is asked, and not when it is registered."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        yield self._jobs()
        yield self._workers()
        yield self._accounts()
        yield from self._today()

    def _jobs(self) -> Metric:
        family = GaugeMetricFamily("registre_jobs", "Orders by state.", labels=["state"])
        for status, jobs in self._store.views.counts().items():
            family.add_metric([_STATES[status]], jobs)
        return family

    def _workers(self) -> Metric:
        family = GaugeMetricFamily("registre_workers", "Workers by state.", labels=["state"])
        found = Counter(worker.status for worker in self._store.views.workers())
        for state in ("busy", "idle", "error", "offline"):
            family.add_metric([state], found[state])
        return family

    def _accounts(self) -> Metric:
        family = GaugeMetricFamily("registre_accounts", "Registry accounts by state.", labels=["state"])
        found = Counter(account.state for account in self._store.accounts.all())
        for state in ("free", "signed in", "set aside", "inactive"):
            family.add_metric([state], found[state])
        return family

    def _today(self) -> Iterator[Metric]:
        """Days are the registry's own, of America/Toronto."""
        documents = GaugeMetricFamily("registre_documents_today", "Documents bought today.", labels=["source"])
        cost = GaugeMetricFamily("registre_cost_cents_today", "Cents spent today.", labels=["source", "state"])
        reused = GaugeMetricFamily("registre_reused_today", "Orders served today without buying.", labels=["source"])
        today = datetime.now(TORONTO).date()
        for line in self._store.treasury.costs(today, today, CostBy.SOURCE):
            documents.add_metric([line.key], line.documents)
            reused.add_metric([line.key], line.reused)
            cost.add_metric([line.key, "documents"], line.documents_cents)
            cost.add_metric([line.key, "ambiguous"], line.ambiguous_cents)
            cost.add_metric([line.key, "reserved"], line.reserved_cents)
        yield from (documents, cost, reused)
