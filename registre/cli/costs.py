"""`registre costs · fees · budgets`: what documents cost, what may be spent, and what was."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from registre.budget import CostBy, CostLine
from registre.cli.options import TORONTO, AuthorOption, JsonFlag, cents_of
from registre.cli.output import dollars, show_json, show_table, show_text
from registre.document import Source
from registre.errors import InvalidInput
from registre.gates import Scope
from registre.operations import budget_target, day_of
from registre.orders.costs import render_costs
from registre.plain import plain_text
from registre.settings import load_settings
from registre.wiring import open_store

costs = typer.Typer(help="What was spent.", no_args_is_help=True)
fees = typer.Typer(help="What a document costs, from which day on.", no_args_is_help=True)
budgets = typer.Typer(help="What may be spent.", no_args_is_help=True)


@costs.command("report")
def report(
    by: Annotated[str, typer.Option(help="day, account, client, source or batch")] = "day",
    first: Annotated[str | None, typer.Option("--from", help="First day; the first of this month by default.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; today by default.")] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write it as CSV into this file (- for stdout).")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """What was bought, what may have been, what is under way, and what was served for nothing."""
    if by not in set(CostBy):
        raise InvalidInput("by", f"'{by[:40]}' is unknown; one of {', '.join(CostBy)} is expected.")
    today = datetime.now(TORONTO).date()
    begin, end = day_of(first, "from") if first else today.replace(day=1), day_of(last, "to") if last else today
    if end < begin:
        raise InvalidInput("to", "the last day is before the first.")
    with open_store(load_settings()) as store:
        lines = store.treasury.costs(begin, end, CostBy(by))
    if csv_file is not None:
        _write_csv(csv_file, by, lines)
    elif as_json:
        show_json({"from": begin, "to": end, "by": by, "lines": [asdict(line) for line in lines]})
    else:
        _show(f"Costs from {begin} to {end}", by, lines)


def _show(title: str, by: str, lines: list[CostLine]) -> None:
    rows = [_row(line.key or "(no name)", [line]) for line in lines]
    show_table(title, (by, "documents", "cost", "ambiguous", "cost", "under way", "cost", "served for nothing"),
               [*rows, _row("all", lines)] if len(rows) > 1 else rows)  # fmt: skip


def _row(key: str, lines: list[CostLine]) -> tuple[str, ...]:
    def total(name: str) -> int:
        return sum(getattr(line, name) for line in lines)

    counts = ("documents", "ambiguous", "reserved")
    money = [text for name in counts for text in (str(total(name)), dollars(total(f"{name}_cents")))]
    return (key, *money, str(total("reused")))


def _write_csv(file: Path, by: str, lines: list[CostLine]) -> None:
    text = render_costs(by, lines)
    if str(file) == "-":
        typer.get_text_stream("stdout").write(text)
        return
    try:
        with file.open("w", encoding="utf-8-sig", newline="") as stream:
            stream.write(text)
    except OSError as error:
        raise InvalidInput("csv", f"{file} cannot be written: {error.strerror}.") from None
    show_text(f"{len(lines)} lines in {file}")


@fees.command("list")
def list_fees(as_json: JsonFlag = False) -> None:
    """Show the fees; `*` is every source without a fee of its own."""
    with open_store(load_settings()) as store:
        found = store.treasury.fees()
    if as_json:
        show_json([asdict(fee) for fee in found])
    else:
        show_table(
            "Fees", ("source", "from", "fee"), [(f.source, f.valid_from.isoformat(), dollars(f.cents)) for f in found]
        )


@fees.command("set")
def set_fee(
    amount: Annotated[str, typer.Argument(help="Dollars, such as 1,55.")],
    valid_from: Annotated[str, typer.Option("--from", help="First day on which it holds; today by default.")] = "",
    source: Annotated[str, typer.Option(help="acte, index or plan_cadastraux; all of them by default.")] = "*",
    *,
    author: AuthorOption,
) -> None:
    """Set the fee of a document from a day on. What is already bought keeps its fee."""
    if source != "*" and source not in set(Source):
        raise InvalidInput("source", f"'{source[:40]}' is unknown; one of {', '.join(Source)} is expected.")
    day: date = day_of(valid_from, "from") if valid_from else datetime.now(TORONTO).date()
    cents = cents_of(amount, "amount")
    if cents > 1_000_000:
        raise InvalidInput("amount", "no document costs more than 10 000 $.")
    with open_store(load_settings()) as store:
        store.treasury.set_fee(source, day, cents, plain_text(author, "author", 100))
    show_text(f"{'Every document' if source == '*' else source} costs {dollars(cents)} from {day} on.")


@budgets.command("list")
def list_budgets(as_json: JsonFlag = False) -> None:
    """Show every cap and what is used of it; `*` is each that has no budget of its own."""
    with open_store(load_settings()) as store:
        found = store.treasury.budgets()
    if as_json:
        show_json([asdict(budget) for budget in found])
    else:
        show_table("Budgets", ("of", "name", "for a", "cap", "used"),
                   [(b.scope, b.name, b.period, dollars(b.cap_cents), dollars(b.used_cents)) for b in found])  # fmt: skip


ScopeArgument = Annotated[str, typer.Argument(help="site, account, client or batch")]
NameArgument = Annotated[str, typer.Argument(help="Which one; * for each; nothing for the site.")]
PeriodOption = Annotated[str, typer.Option("--for", help="day or month; a batch has one for its whole.")]


@budgets.command("set")
def set_budget(
    scope: ScopeArgument,
    name: NameArgument = "",
    cap: Annotated[str, typer.Option(help="Dollars, such as 300.")] = "",
    period: PeriodOption = "day",
    *,
    author: AuthorOption,
) -> None:
    """Cap what is spent. Two workers can never pass a cap together: the fee is reserved before the click."""
    kind, span = budget_target(scope, name, period)
    cents = cents_of(cap, "cap")
    with open_store(load_settings()) as store:
        store.treasury.set_budget(kind, name, span, cents, plain_text(author, "author", 100))
    show_text(f"{_called(kind, name)}: at most {dollars(cents)}, {span}.")


@budgets.command("remove")
def remove_budget(
    scope: ScopeArgument, name: NameArgument = "", period: PeriodOption = "day", *, author: AuthorOption
) -> None:
    """Remove a cap."""
    kind, span = budget_target(scope, name, period)
    with open_store(load_settings()) as store:
        store.treasury.set_budget(kind, name, span, None, plain_text(author, "author", 100))
    show_text(f"{_called(kind, name)}: no cap, {span}.")


def _called(scope: Scope, name: str) -> str:
    return "everything" if scope is Scope.SITE else f"each {scope}" if name == "*" else f"{scope} {name}"
