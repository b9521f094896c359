"""`registre why · pause · resume · gates · rules · hours`: what keeps orders from starting, and who may change it."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import date, time
from typing import Annotated

import typer

from registre.cli.options import AuthorOption, JsonFlag, job_id_of
from registre.cli.output import moment, show_json, show_table, show_text
from registre.errors import InvalidInput
from registre.gates import Scope, ServiceHours
from registre.operations import (
    RULES,
    day_of,
    holiday_name,
    hour_of,
    openings_of,
    pause_reason,
    pause_target,
    rule_name,
)
from registre.plain import plain_text
from registre.settings import load_settings
from registre.wiring import open_store

gates = typer.Typer(help="What is closed now, and why.", no_args_is_help=True)
rules = typer.Typer(help="Rules that hold for every host of this database.", no_args_is_help=True)
hours = typer.Typer(help="When the registry's service is open.", no_args_is_help=True)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

ScopeArgument = Annotated[str, typer.Argument(help="site, account, client or source")]
NameArgument = Annotated[str, typer.Argument(help="Which one; nothing for the site.")]


def why(
    job_id: Annotated[str | None, typer.Argument(help="A job's id; without it: why anything waits.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say in one line why an order waits: the reason the dispatcher acted on."""
    known = job_id_of(job_id) if job_id else None
    with open_store(load_settings()) as store:
        reason = store.gates.why(known)
    if as_json:
        show_json({"job_id": known, "reason": reason})
    else:
        show_text(reason)


def pause(
    scope: ScopeArgument,
    name: NameArgument = "",
    reason: Annotated[str, typer.Option(help="Why; shown to everybody whose order waits.")] = "",
    *,
    author: AuthorOption,
) -> None:
    """Stop starting orders: of the whole site, an account, a client or a source. What runs is finished."""
    kind = pause_target(scope, name)
    why_paused = pause_reason(reason)
    with open_store(load_settings()) as store:
        store.gates.pause(kind, name, plain_text(author, "author", 100), why_paused)
    show_text(f"{_called(kind, name)} is paused.")


def resume(scope: ScopeArgument, name: NameArgument = "", *, author: AuthorOption) -> None:
    """Start orders again: ends a pause, the freeze of a source, and the breaker of the site.

    A source whose form has changed is for `registre site accept`: resumed only, it freezes again at the next order.
    """
    kind = pause_target(scope, name)
    with open_store(load_settings()) as store:
        opened = store.gates.resume(kind, name, plain_text(author, "author", 100))
    show_text(f"{_called(kind, name)} is open again." if opened else f"{_called(kind, name)} was not closed.")


@gates.command("list")
def list_gates(as_json: JsonFlag = False) -> None:
    """List every closed gate, in the order in which they are asked."""
    with open_store(load_settings()) as store:
        closed, pauses = store.gates.closures(), store.gates.pauses()
    if as_json:
        show_json({"closed": [asdict(c) for c in closed], "pauses": [asdict(p) for p in pauses]})
        return
    if not closed:
        show_text("Nothing is closed.")
        return
    show_table("Closed", ("gate", "holds back", "reason", "opens"),
               [(c.gate, _called(c.scope, c.name), c.reason, moment(c.until) or "by a person") for c in closed])  # fmt: skip


@rules.command("list")
def list_rules(as_json: JsonFlag = False) -> None:
    """Show every rule and its value."""
    with open_store(load_settings()) as store:
        values = asdict(store.gates.rules())
    if as_json:
        show_json(values)
        return
    show_table("Rules", ("rule", "value", "meaning"),
               [(name, "none" if value is None else f"{value:g}", RULES[name]) for name, value in values.items()])  # fmt: skip


@rules.command("set")
def set_rule(
    name: Annotated[str, typer.Argument(help="A rule's name, as `registre rules list` shows it.")],
    value: Annotated[str, typer.Argument(help="A number, or none.")],
    *,
    author: AuthorOption,
) -> None:
    """Change one rule, for every host at once."""
    rule_name(name)
    if value != "none" and not re.fullmatch(r"\d{1,9}(\.\d{1,3})?", value):
        raise InvalidInput("value", f"'{value[:40]}' is not a number of 0 or more, nor none.")
    with open_store(load_settings()) as store:
        store.gates.set_rule(name, None if value == "none" else float(value), plain_text(author, "author", 100))
    show_text(f"{name} is {value}.")


@hours.command("list")
def list_hours(as_json: JsonFlag = False) -> None:
    """Show the hours and holidays (local time of America/Toronto)."""
    with open_store(load_settings()) as store:
        opens, days = store.gates.hours(), store.gates.holidays()
    if as_json:
        show_json({"hours": [asdict(h) for h in opens], "holidays": [asdict(d) for d in days]})
        return
    if not opens:
        show_text("No hours are set: orders start at any time.")
    show_table("Open", ("day", "from", "to"),
               [(WEEKDAYS[h.weekday - 1], f"{h.opens:%H:%M}", _end(h.closes)) for h in opens])  # fmt: skip
    show_table("Holidays", ("day", "name"), [(d.day.isoformat(), d.name) for d in days])


@hours.command("set")
def set_hours(
    spans: Annotated[list[str], typer.Argument(help="Such as mon-fri=08:00-22:00 sat=08:00-16:00; always: no hours.")],
    *,
    author: AuthorOption,
) -> None:
    """Replace the hours of the registry's service."""
    wanted = openings_of([] if spans == ["always"] else [span for text in spans for span in _spans(text)])
    with open_store(load_settings()) as store:
        store.gates.set_hours(wanted, plain_text(author, "author", 100))
    show_text("Always open." if not wanted else f"{len(wanted)} openings a week.")


@hours.command("holiday")
def holiday(
    day: Annotated[str, typer.Argument(help="Such as 2026-12-25.")],
    name: Annotated[str, typer.Option(help="Its name.")] = "holiday",
    remove: Annotated[bool, typer.Option("--remove", help="It is a day like any other.")] = False,
    *,
    author: AuthorOption,
) -> None:
    """Add or remove a day on which the service is closed."""
    wanted = day_of(day, "day")
    with open_store(load_settings()) as store:
        store.gates.set_holiday(wanted, None if remove else holiday_name(name), plain_text(author, "author", 100))
    show_text(f"{day} is {'a day like any other' if remove else 'a holiday'}.")


@hours.command("quebec")
def quebec_holidays(
    year: Annotated[int, typer.Argument(help="Such as 2027.", min=2020, max=2100)], *, author: AuthorOption
) -> None:
    """Add the public holidays of Quebec in a year; verify them against the registry's own calendar."""
    import holidays  # where it is used: other commands must not wait for it

    days: dict[date, str] = dict(holidays.country_holidays("CA", subdiv="QC", years=year, language="fr"))
    with open_store(load_settings()) as store:
        for day, name in sorted(days.items()):
            store.gates.set_holiday(day, name, plain_text(author, "author", 100))
            show_text(f"{day} {name}")


def _called(scope: Scope, name: str) -> str:
    return "everything" if scope is Scope.SITE else f"{scope} {name or '(no name)'}"


def _spans(text: str) -> list[ServiceHours]:
    days, _, span = text.strip().lower().partition("=")
    first, _, last = days.partition("-")
    opens, _, closes = span.partition("-")
    try:
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        found = [
            ServiceHours(day + 1, hour_of(opens, "hours"), hour_of(closes, "hours")) for day in range(begin, end + 1)
        ]
        if not found:
            raise InvalidInput("hours", "its last day comes before its first.")
        return openings_of(found)
    except (ValueError, InvalidInput):
        raise InvalidInput("hours", f"'{text[:40]}' is not an opening, such as mon-fri=08:00-22:00.") from None


def _end(at: time) -> str:
    """Midnight ends the day; so did its last instant, for the hours that were set before."""
    return "24:00" if at in (time(0), time.max) else f"{at:%H:%M}"
