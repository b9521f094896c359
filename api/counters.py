"""What Prometheus scrapes, read from the store at each scrape.

Invariant: nothing is counted in this process, so that every API of one database tells the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from registre.alerts import AlertKind
from registre.budget import CostBy
from registre.document import Source
from registre.gates import Gate
from registre.job import HostView, Status
from registre.language import TORONTO
from registre.ports import Step
from registre.wiring import Store

_STATES = {Status.WAITING: "waiting", Status.RUNNING: "active", Status.DONE: "completed", Status.FAILED: "failed"}

LATELY = timedelta(days=1)
MOST_HOSTS = 200


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
        yield from self._this_month()
        yield from self._durations()
        yield from self._gates()
        yield from self._hosts()
        yield self._alerts()

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

    def _this_month(self) -> Iterator[Metric]:
        """What only rises, until the month turns: then it begins anew, as Prometheus expects of a counter that was reset."""
        documents = CounterMetricFamily("registre_documents", "Documents bought this month.", labels=["source"])
        cost = CounterMetricFamily("registre_cost_cents", "Cents spent this month.", labels=["source"])
        today = datetime.now(TORONTO).date()
        for line in self._store.treasury.costs(today.replace(day=1), today, CostBy.SOURCE):
            documents.add_metric([_source(line.key)], line.documents)
            cost.add_metric([_source(line.key)], line.documents_cents)
        yield from (documents, cost)

    def _durations(self) -> Iterator[Metric]:
        measured = self._store.views.measured()
        oldest = GaugeMetricFamily(
            "registre_oldest_waiting_seconds", "How long the oldest order of a source waits.", labels=["source"]
        )
        for source, seconds in measured.oldest.items():
            oldest.add_metric([_source(source)], seconds)
        running = GaugeMetricFamily("registre_oldest_attempt_seconds", "How long the oldest attempt under way lasts.")
        if measured.running is not None:
            running.add_metric([], measured.running)
        wait = GaugeMetricFamily(
            "registre_lease_wait_seconds", "From an order to its first lease, of late ones.", labels=["quantile"]
        )
        steps = GaugeMetricFamily(
            "registre_step_seconds", "How long a step of an attempt takes, of late ones.", labels=["step", "quantile"]
        )
        for family, labels, measure in (
            *((wait, [], measure) for measure in (measured.wait,) if measure is not None),
            *((steps, [each.name], each) for each in measured.steps if each.name in set(Step)),
        ):
            family.add_metric([*labels, "0.5"], measure.p50_seconds)
            if measure.p95_seconds is not None:
                family.add_metric([*labels, "0.95"], measure.p95_seconds)
        yield from (oldest, running, wait, steps)

    def _gates(self) -> Iterator[Metric]:
        closed = GaugeMetricFamily("registre_gates_closed", "Closed gates.", labels=["gate"])
        drifted = GaugeMetricFamily("registre_source_frozen", "1 while a form has drifted.", labels=["source"])
        closures = self._store.gates.closures()
        found = Counter(closure.gate for closure in closures)
        for gate in (Gate.HOURS, Gate.BREAKER, Gate.FROZEN, Gate.PAUSE, Gate.APPROVAL, Gate.BUDGET):
            closed.add_metric([str(gate)], found[gate])
        frozen = {closure.name for closure in closures if closure.gate is Gate.FROZEN}
        for source in Source:
            drifted.add_metric([str(source)], source in frozen)
        yield from (closed, drifted)

    def _hosts(self) -> Iterator[Metric]:
        """A label for each host that was seen within a day; of one that is gone longer, nothing is told but that it is there."""
        states = GaugeMetricFamily("registre_hosts", "Hosts by state.", labels=["state"])
        hosts = self._store.views.hosts()
        found = Counter(host.state for host in hosts)
        for state in ("alive", "silent", "stopped"):
            states.add_metric([state], found[state])
        yield states
        now = datetime.now(UTC)
        lately = [host for host in hosts if now - host.seen_at < LATELY][:MOST_HOSTS]
        for name, told, value in _OF_HOSTS:
            family = GaugeMetricFamily(name, told, labels=["host"])
            for host in lately:
                if (number := value(host, now)) is not None:
                    family.add_metric([host.host], number)
            yield family

    def _alerts(self) -> Metric:
        family = GaugeMetricFamily("registre_alerts", "Alerts that last.", labels=["kind"])
        found = Counter(alert.kind for alert in self._store.alerts.all(limit=1000))
        for kind in AlertKind:
            family.add_metric([str(kind)], found[kind])
        return family


def _source(name: str) -> str:
    """One of ours, or 'other': a row of another program may hold any word."""
    return name if name in set(Source) else "other"


def _session_memory(host: HostView, now: datetime) -> float | None:
    del now
    facts = host.facts
    return facts.memory_bytes / facts.sessions if facts.memory_bytes is not None and facts.sessions else None


_OF_HOSTS: tuple[tuple[str, str, Callable[[HostView, datetime], float | None]], ...] = (
    ("registre_host_seen_seconds", "Since a host last renewed.", lambda h, now: (now - h.seen_at).total_seconds()),
    ("registre_host_accounts", "Accounts a host holds.", lambda h, _: h.accounts),
    ("registre_host_memory_bytes", "Memory of a worker and its browsers.", lambda h, _: h.facts.memory_bytes),
    ("registre_host_sessions", "Sessions open on a host.", lambda h, _: h.facts.sessions),
    ("registre_session_memory_bytes", "Memory of a worker by its sessions.", _session_memory),
    ("registre_spool_documents", "Bought documents not yet in their bucket.", lambda h, _: h.undelivered),
    ("registre_spool_free_bytes", "Room of the spool's disk.", lambda h, _: h.facts.free_bytes),
)
