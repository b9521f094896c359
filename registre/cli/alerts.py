"""`registre alerts list`: what a person should know without looking."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from registre.alerts import advice, sentence
from registre.cli.options import JsonFlag
from registre.cli.output import moment, show_json, show_table
from registre.language import Language
from registre.settings import load_settings
from registre.wiring import open_store

app = typer.Typer(help="What a person should know without looking.", no_args_is_help=True)


@app.command("list")
def list_alerts(
    every: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    limit: Annotated[int, typer.Option(help="How many, the last opened first.", min=1, max=1000)] = 100,
    as_json: JsonFlag = False,
) -> None:
    """Judge now and list what is alarming, and what to do about it. Exit 0 whatever is found."""
    with open_store(load_settings()) as store:
        store.alerts.judge()
        found = store.alerts.all(open_only=not every, limit=limit)
    english = {alert.id: sentence(alert.kind, alert.subject, alert.facts, Language.ENGLISH) for alert in found}
    if as_json:
        show_json([{**asdict(alert), "sentence": english[alert.id]} for alert in found])
        return
    show_table(
        f"{len(found)} alerts",
        ("since", "until", "alert", "what to do"),
        [
            (
                moment(alert.opened_at),
                moment(alert.closed_at),
                english[alert.id],
                "" if alert.closed_at else advice(alert.kind, alert.subject, Language.ENGLISH),
            )
            for alert in found
        ],
    )
