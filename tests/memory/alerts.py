"""The port `Alerts` in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from registre.alerts import AlertKind, AlertView
from registre.gates import Scope
from registre.job import Status
from registre.ledger import PurchaseState
from tests.memory.money import cap_of, smallest_fee, use_key
from tests.memory.state import State

QUARTER = timedelta(minutes=15)
BY_A_PERSON = ("cancelled", "abandoned", "deadline_passed")
Alarming = Iterator[tuple[AlertKind, str, Mapping[str, Any]]]


class MemoryAlerts:
    """Implements `registre.ports.Alerts`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def judge(self) -> int:
        state, changed = self._state, 0
        with state.transaction() as now:
            due = {(str(kind), subject): facts for kind, subject, facts in _alarming(state, now)}
            for place, alert in enumerate(state.alerts):
                if alert.closed_at is not None:
                    continue
                about = (alert.kind, alert.subject)
                closed_at = None if about in due else now
                facts = due.get(about, alert.facts)
                state.alerts[place] = AlertView(alert.id, *about, facts, alert.opened_at, closed_at)
                if closed_at is not None:
                    changed += self._tell("alert.closed", state.alerts[place], now)
            lasting = {(alert.kind, alert.subject) for alert in state.alerts if alert.closed_at is None}
            for about in sorted(due.keys() - lasting):
                alert = AlertView(len(state.alerts) + 1, *about, due[about], now, None)
                state.alerts.append(alert)
                changed += self._tell("alert.opened", alert, now)
            return changed

    def _tell(self, event: str, alert: AlertView, now: datetime) -> int:
        self._state.tell(event, None, now, alert=alert.id, about=alert.kind, subject=alert.subject, facts=alert.facts)
        return 1

    def all(self, *, open_only: bool = True, limit: int = 100) -> list[AlertView]:
        with self._state.transaction():
            return [a for a in self._state.alerts[::-1] if not open_only or a.closed_at is None][:limit]


def _alarming(state: State, now: datetime) -> Alarming:
    yield from _work(state, now)
    for source, reason in state.frozen.items():
        yield AlertKind.DRIFT, source, {"reason": reason}
    yield from _budgets(state, now)
    yield from _spools(state, now)
    for account in state.accounts.values():
        if account.is_active and account.is_set_aside(now):
            yield AlertKind.ACCOUNT_SET_ASIDE, account.username, {"reason": account.set_aside_reason}


def _work(state: State, now: datetime) -> Alarming:
    patience = timedelta(minutes=state.rules.alert_backlog_minutes)
    waiting = [job.created_at for job in state.jobs.values() if job.status is Status.WAITING]
    at_work = any(
        status in ("idle", "busy") and account_id is not None and state.accounts[account_id].is_leased(now)
        for status, account_id, _, _ in state.workers.values()
    )
    starting = any(host.is_alive(now) and host.started_at > now - patience for host in state.hosts.values())
    if waiting and min(waiting) <= now - patience and not at_work and not starting:
        yield AlertKind.NO_WORKER, "", {"waiting": len(waiting), "since": min(waiting).isoformat()}
    ended = [
        event
        for event in state.events
        if event.kind in ("job.completed", "job.failed")
        and now - QUARTER < event.at <= now
        and event.data.get("error_kind") not in BY_A_PERSON
    ]
    failed = sum(event.kind == "job.failed" for event in ended)
    if failed >= state.rules.alert_failures and failed * 2 >= len(ended):
        yield AlertKind.ERROR_BURST, "", {"failed": failed, "ended": len(ended)}


def _budgets(state: State, now: datetime) -> Alarming:
    fee = smallest_fee(state, now)
    for use, used in state.used.items():
        scope, name, period, _ = use
        cap = cap_of(state, scope, name, period)
        if cap is None or scope is Scope.BATCH or use != use_key(scope, name, period, now) or not used:
            continue
        if used * 100 >= cap * state.rules.alert_budget_percent:
            kind = AlertKind.BUDGET_OVER if used + fee > cap else AlertKind.BUDGET_NEAR
            facts = {"used_cents": used, "cap_cents": cap}
            yield kind, " ".join(filter(None, (str(scope), name, str(period)))), facts


def _spools(state: State, now: datetime) -> Alarming:
    for host in state.hosts:
        safe = [
            purchase.secured_at
            for purchase in state.purchases.values()
            if purchase.host == host and purchase.state is PurchaseState.SECURED and purchase.secured_at is not None
        ]
        late = bool(safe) and min(safe) <= now - timedelta(minutes=state.rules.alert_spool_minutes)
        if late or len(safe) >= state.rules.alert_spool_documents:
            yield AlertKind.SPOOL_FILLING, host, {"documents": len(safe), "since": min(safe).isoformat()}
