"""What keeps orders from starting, and the rules behind it: gates, pauses, rules, hours.

Invariant: every change has its author, the name of the caller's key.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

from litestar import Router, delete, get, put
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from api.desk import AnyRequest, UsesStore, caller_of, serves
from api.schemas import Asked, Wire
from registre.access import Role
from registre.gates import Gate, Scope, ServiceHours
from registre.operations import (
    MOST_OPENINGS,
    RULES,
    day_of,
    holiday_name,
    hour_of,
    openings_of,
    pause_reason,
    pause_target,
    rule_name,
)
from registre.wiring import Store


class Closed(Wire):
    """One closed gate. `until` is null when a person must act."""

    gate: Gate
    scope: Scope
    name: str
    reason: str
    until: datetime | None


class PauseView(Wire):
    scope: Scope
    name: str
    author: str
    reason: str
    at: datetime


class Gates(Wire):
    """In the order in which they are asked."""

    closed: tuple[Closed, ...]
    pauses: tuple[PauseView, ...]


class NewPause(Asked):
    """What stops: `site` (without a name), an `account`, a `client` or a `source`."""

    scope: Annotated[str, Meta(examples=["client"])]
    reason: Annotated[str, Meta(max_length=200, examples=["they asked for it"])]
    name: Annotated[str, Meta(max_length=100, examples=["Étude Tremblay"])] = ""


class Resumed(Wire):
    """`was_closed` false: there was nothing to open."""

    was_closed: bool


class RuleView(Wire):
    name: str
    value: float | None
    meaning: str


class RuleList(Wire):
    rules: tuple[RuleView, ...]


class NewValue(Asked):
    """null is "never", where a rule has it."""

    value: Annotated[float, Meta(ge=0, le=1_000_000_000)] | None


class Opening(Wire):
    """`weekday` is 1 for Monday; local time of America/Toronto; what closes at 00:00 closes at the day's end."""

    weekday: int
    opens: Annotated[str, Meta(examples=["08:00:00"])]
    closes: Annotated[str, Meta(examples=["22:00:00"])]


class HolidayView(Wire):
    day: date
    name: str


class Hours(Wire):
    """No opening at all: always open."""

    hours: tuple[Opening, ...]
    holidays: tuple[HolidayView, ...]


class NewOpening(Asked):
    """`weekday` is 1 for Monday; local time of America/Toronto; what closes at 24:00, or 00:00, closes at the day's end."""

    weekday: Annotated[int, Meta(ge=1, le=7)]
    opens: Annotated[str, Meta(max_length=20, examples=["08:00"])]
    closes: Annotated[str, Meta(max_length=20, examples=["22:00"])]


class NewHours(Asked):
    """The whole week; none at all: always open."""

    hours: Annotated[list[NewOpening], Meta(max_length=MOST_OPENINGS)]


class NewHoliday(Asked):
    name: Annotated[str, Meta(max_length=100, examples=["Noël"])]


@get("/gates", summary="What is closed", **serves(Role.VIEWER))
def list_gates(store: UsesStore) -> Gates:
    return gates_of(store)


@put("/pauses", summary="Stop starting orders", **serves(Role.OPERATOR, 400))
def pause(data: JSONBody[NewPause], request: AnyRequest, store: UsesStore) -> Gates:
    """A repeat changes author and reason. What runs is finished."""
    scope = pause_target(data.scope, data.name)
    store.gates.pause(scope, data.name, caller_of(request).name, pause_reason(data.reason))
    return gates_of(store)


@delete("/pauses", status_code=200, summary="Start orders again", **serves(Role.OPERATOR, 400))
def resume(
    request: AnyRequest,
    store: UsesStore,
    closes: Annotated[str, QueryParameter(name="scope", description="site, account, client or source")],
    name: Annotated[str, QueryParameter(description="Which one; nothing for the site.")] = "",
) -> Resumed:
    """Also ends the freeze of a source whose form was looked at, and the breaker of the site."""
    known = pause_target(closes, name)
    return Resumed(was_closed=store.gates.resume(known, name, caller_of(request).name))


@get("/rules", summary="The rules", **serves(Role.VIEWER))
def list_rules(store: UsesStore) -> RuleList:
    return _rules(store)


@put("/rules/{rule:str}", summary="Change a rule, for every host", **serves(Role.ADMIN, 400, 409))
def set_rule(rule: FromPath[str], data: JSONBody[NewValue], request: AnyRequest, store: UsesStore) -> RuleList:
    store.gates.set_rule(rule_name(rule), data.value, caller_of(request).name)
    return _rules(store)


@get("/hours", summary="When the site is open", **serves(Role.VIEWER))
def list_hours(store: UsesStore) -> Hours:
    return hours_of(store)


@put("/hours", summary="Set when the site is open", **serves(Role.ADMIN, 400))
def set_hours(data: JSONBody[NewHours], request: AnyRequest, store: UsesStore) -> Hours:
    """Replaces the hours of the whole week; the holidays stay."""
    week = [
        ServiceHours(asked.weekday, hour_of(asked.opens, "opens"), hour_of(asked.closes, "closes"))
        for asked in data.hours
    ]
    store.gates.set_hours(openings_of(week), caller_of(request).name)
    return hours_of(store)


@put("/holidays/{day:str}", summary="Close the site for a day", **serves(Role.ADMIN, 400))
def set_holiday(day: FromPath[str], data: JSONBody[NewHoliday], request: AnyRequest, store: UsesStore) -> Hours:
    """A repeat changes the name."""
    store.gates.set_holiday(day_of(day, "day"), holiday_name(data.name), caller_of(request).name)
    return hours_of(store)


@delete("/holidays/{day:str}", status_code=200, summary="Make a day like any other", **serves(Role.ADMIN, 400))
def remove_holiday(day: FromPath[str], request: AnyRequest, store: UsesStore) -> Hours:
    """Of a day that is no holiday nothing changes."""
    store.gates.set_holiday(day_of(day, "day"), None, caller_of(request).name)
    return hours_of(store)


def hours_of(store: Store) -> Hours:
    return Hours(
        hours=tuple(
            Opening(weekday=opening.weekday, opens=opening.opens.isoformat(), closes=opening.closes.isoformat())
            for opening in store.gates.hours()
        ),
        holidays=tuple(HolidayView(**asdict(holiday)) for holiday in store.gates.holidays()),
    )


def gates_of(store: Store) -> Gates:
    return Gates(
        closed=tuple(Closed(**asdict(closure)) for closure in store.gates.closures()),
        pauses=tuple(PauseView(**asdict(pause)) for pause in store.gates.pauses()),
    )


def _rules(store: Store) -> RuleList:
    values = asdict(store.gates.rules())
    return RuleList(rules=tuple(RuleView(name=name, value=values[name], meaning=RULES[name]) for name in RULES))


ROUTER = Router(
    "/api",
    route_handlers=[
        list_gates,
        pause,
        resume,
        list_rules,
        set_rule,
        list_hours,
        set_hours,
        set_holiday,
        remove_holiday,
    ],
    request_max_body_size=10_000,
    tags=["gates"],
)
