"""`registre events`: everything that happened, and what happens."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from registre.cli.options import JsonFlag
from registre.cli.output import clock, one_line
from registre.errors import InvalidInput
from registre.following import EventFollower
from registre.job import Event
from registre.plain import harmless
from registre.settings import load_settings
from registre.wiring import open_store

HIDDEN = {"purchase", "sha256", "attempts", "status"}


def events(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what happens from now, until Ctrl-C.")
    ] = False,
    after: Annotated[str | None, typer.Option(help="Only what came after this cursor; '' is the beginning.")] = None,
    limit: Annotated[int, typer.Option(help="How many, without --follow.", min=1, max=10_000)] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Show the facts, oldest first: the last ones, those after a cursor, or those to come. JSON: one line each."""
    with open_store(load_settings()) as store:
        if after is not None and after.strip("-0123456789"):
            raise InvalidInput("after", f"'{after[:40]}' is no cursor; every event has one, with --json.")
        if not follow:
            found = store.views.last_events(limit) if after is None else store.views.events_after(after, limit)
            for event in found:
                _show(event, as_json)
            return
        reader = EventFollower(store.views, store.views.events_end() if after is None else after, bell=store.queue)
        try:
            while True:
                for event in reader.next():
                    _show(event, as_json)
        finally:
            reader.stop()


def _show(event: Event, as_json: bool) -> None:
    if as_json:
        typer.echo(one_line(asdict(event)))
        return
    told = " · ".join(f"{k} {json.dumps(v, ensure_ascii=False) if isinstance(v, list | dict) else v}"
                      for k, v in event.data.items() if k not in HIDDEN and v not in ("", [], None))  # fmt: skip
    typer.echo(harmless(f"{clock(event.at)}  {event.kind:<20} {event.job_id or '':<36}  {told}"))
