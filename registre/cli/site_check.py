"""`registre site check`: is the site still as the profile says? Walks what is free, and buys nothing."""

from __future__ import annotations

import secrets
from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from registre.cli.options import JsonFlag
from registre.cli.output import show_json, show_table, show_text
from registre.cli.progress import progress
from registre.cli.serve import keep_worlds_apart
from registre.settings import load_settings
from registre.wiring import open_site_check, open_store

EXIT_FAILED, EXIT_CHANGED = 1, 3
_GLYPHS = {"ok": ("✓ ok", "green"), "changed": ("! changed", "yellow"), "failed": ("✗ failed", "red")}


def check(
    no_sign_in: Annotated[
        bool, typer.Option("--no-sign-in", help="Only look at the login page; no account is needed.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Look whether the site is as the profile says: login, forms, lists, buttons. Nothing is submitted, nothing is bought.

    Signs in with one free account, as a worker would. A form that changed is frozen until it is accepted, as at any order.
    Exit code: 0 as expected, 3 a form has changed, 1 something is missing or could not be looked at.
    """
    settings = load_settings()
    with open_store(settings) as store:
        keep_worlds_apart(settings, store, with_twin=False)
        owner = f"check-{settings.host_name()}/{secrets.token_hex(4)}"
        with open_site_check(settings, store, owner, say=lambda line: typer.echo(line, err=True)) as (site, steps):
            found = []
            with progress("looking at the site", steps) as done, closing(site.run(sign_in=not no_sign_in)) as findings:
                for finding in findings:
                    found.append(finding)
                    done(len(found))
    outcomes = {str(finding.outcome) for finding in found}
    verdict = next(outcome for outcome in ("failed", "changed", "ok") if outcome in outcomes)
    if as_json:
        show_json({"site": settings.base_url, "verdict": verdict, "findings": [asdict(finding) for finding in found]})
    else:
        show_table(settings.base_url, ("what", "outcome", "seen", "what to do"),
                   [(f.what, Text(*_GLYPHS[f.outcome]), f.says, f.mend) for f in found])  # fmt: skip
        show_text(
            {"ok": "The site is as expected.", "changed": "A form has changed.", "failed": "Not all is as expected."}[
                verdict
            ]
        )
    if verdict != "ok":
        raise typer.Exit(EXIT_CHANGED if verdict == "changed" else EXIT_FAILED)
