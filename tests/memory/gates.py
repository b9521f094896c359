"""The port `Gates` in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date

from registre.errors import InvalidInput, NotFound, Refused
from registre.gates import PAUSE_SCOPES, Closure, Holiday, Pause, Rules, Scope, ServiceHours
from registre.job import JobId
from tests.memory.closures import closures, why, why_anything
from tests.memory.moves import site_answered, site_away
from tests.memory.state import JOBS_CHANNEL, Breaker, State

MAY_BE_NONE = {"approval_above_cents", "history_days"}
MAY_BE_FRACTION = {"pace_seconds"}
LEAST = {
    **dict.fromkeys(
        (
            "attempt_seconds",
            "breaker_failures",
            "notice_days",
            "alert_backlog_minutes",
            "alert_failures",
            "alert_budget_percent",
            "alert_spool_minutes",
            "alert_spool_documents",
        ),
        1,
    ),
    "history_days": 31,
}
MOST = {"history_days": 36_500}


class MemoryGates:
    """Implements `registre.ports.Gates`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def closures(self) -> list[Closure]:
        with self._state.transaction() as now:
            return closures(self._state, now)

    def why(self, job_id: JobId | None = None) -> str:
        with self._state.transaction() as now:
            if job_id is None:
                return why_anything(self._state, now)
            return why(self._state, self._state.job(job_id), now)

    def pause(self, scope: Scope, name: str, author: str, reason: str) -> None:
        if scope not in PAUSE_SCOPES:
            raise InvalidInput("scope", f"a {scope} cannot be paused.")
        with self._state.transaction() as now:
            if scope is Scope.ACCOUNT and name not in {row.username for row in self._state.accounts.values()}:
                raise NotFound(f"No account has the name {name}.")
            self._state.pauses[scope, name] = Pause(scope, name, author, reason, now)
            self._state.tell("gate.paused", None, now, scope=str(scope), name=name, author=author, reason=reason)

    def resume(self, scope: Scope, name: str, author: str) -> bool:
        with self._state.transaction() as now:
            closed = self._state.pauses.pop((scope, name), None) is not None
            if scope is Scope.SOURCE:
                closed = self._state.frozen.pop(name, None) is not None or closed
            if scope is Scope.SITE:
                closed = self._state.breaker.open_until is not None or closed
                self._state.breaker = Breaker()
            if closed:
                self._state.tell("gate.resumed", None, now, scope=str(scope), name=name, author=author)
                self._state.ring(JOBS_CHANNEL)
            return closed

    def pauses(self) -> list[Pause]:
        with self._state.transaction():
            return [pause for _, pause in sorted(self._state.pauses.items())]

    def site_away(self, reason: str) -> None:
        with self._state.transaction() as now:
            site_away(self._state, reason, now)

    def site_answered(self) -> None:
        with self._state.transaction() as now:
            site_answered(self._state, now)

    def rules(self) -> Rules:
        with self._state.transaction():
            return self._state.rules

    def set_rule(self, name: str, value: float | None, author: str) -> None:
        if name not in {field.name for field in fields(Rules)}:
            raise Refused(f"There is no rule named {name}.")
        if value is None:
            if name not in MAY_BE_NONE:
                raise Refused(f"The rule {name} needs a value.")
        elif not LEAST.get(name, 0) <= value <= MOST.get(name, value) or (
            name not in MAY_BE_FRACTION and value != int(value)
        ):
            raise Refused(f"The rule {name} cannot be {value}.")
        else:
            value = float(value) if name in MAY_BE_FRACTION else int(value)
        with self._state.transaction() as now:
            # The name is only known here; its value was checked above.
            self._state.rules = replace(self._state.rules, **{name: value})  # type: ignore[arg-type]
            self._state.tell("gate.rule_set", None, now, name=name, value=value, author=author)

    def hours(self) -> list[ServiceHours]:
        with self._state.transaction():
            return list(self._state.hours)

    def set_hours(self, hours: Sequence[ServiceHours], author: str) -> None:
        for opening in hours:
            if not 1 <= opening.weekday <= 7:
                raise InvalidInput("weekday", f"{opening.weekday} is no day of the week; 1 is Monday, 7 is Sunday.")
            if opening.opens >= opening.closes:
                raise InvalidInput("opens", "the service must open before it closes.")
        with self._state.transaction() as now:
            self._state.hours = sorted(hours, key=lambda opening: (opening.weekday, opening.opens))
            self._state.tell("gate.hours_set", None, now, author=author)

    def holidays(self) -> list[Holiday]:
        with self._state.transaction():
            return [Holiday(day, name) for day, name in sorted(self._state.holidays.items())]

    def set_holiday(self, day: date, name: str | None, author: str) -> None:
        with self._state.transaction() as now:
            if name is None:
                self._state.holidays.pop(day, None)
            else:
                self._state.holidays[day] = name
            self._state.tell("gate.holiday_set", None, now, day=day.isoformat(), name=name, author=author)
