"""`registre doctor`: whether this host can do its work, and what to do where it cannot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict

import httpx
import typer
from rich.text import Text

from registre import doctor as check
from registre.cli.options import JsonFlag
from registre.cli.output import show_json, show_table
from registre.doctor import Finding, Health
from registre.errors import ConfigurationError, RegistreError, Unavailable
from registre.secrecy import standing
from registre.settings import Settings, load_settings
from registre.wiring import Store, make_spool, open_database, open_store

SITE_SECONDS = 15.0
SIGNS = {Health.OK: ("✓", "green"), Health.WARNING: ("!", "yellow"), Health.FAILED: ("✗", "red")}


def doctor(as_json: JsonFlag = False) -> None:
    """Check everything this host needs; buys nothing. Exit 0 when nothing failed, warnings or not; 1 otherwise."""
    settings = load_settings()
    found = list(findings(settings))
    if as_json:
        show_json([asdict(finding) for finding in found])
    else:
        rows = [
            (Text(f"{SIGNS[f.health][0]} {f.health}", style=SIGNS[f.health][1]), f.what, f.told, f.to_do) for f in found
        ]
        show_table("registre doctor", ["", "what", "how it stands", "what to do"], rows)
    if any(finding.health is Health.FAILED for finding in found):
        raise typer.Exit(1)


def findings(settings: Settings) -> Iterator[Finding]:
    """One after the other, as they are found. What needs the database is left out when that is away."""
    yield _settings(settings)
    yield from check.home(settings.home)
    yield check.tried("browser", lambda: _browser(settings), "Install Chromium, or name one by REGISTRE_CHROMIUM.")
    yield _site(settings)
    if settings.broker_url is not None:
        yield _broker(settings.broker_url.get_secret_value())
    with ExitStack() as stack:
        try:
            database = stack.enter_context(open_database(settings))
            state = database.state()
        except RegistreError as error:
            yield Finding("database", Health.FAILED, error.message, "See DATABASE_URL, and whether the server runs.")
            return
        yield Finding("database", Health.OK, f"{database.where}; {database.mode()}")
        yield check.clock(database.clock(), check.now())
        if not state.current:
            pending = ", ".join(state.pending) or "functions"
            yield Finding("schema", Health.FAILED, f"behind this version: {pending}", "registre db upgrade")
            return
        yield Finding("schema", Health.OK, state.applied[-1])
    with open_store(settings) as store:
        yield from _of_the_store(settings, store)


def _of_the_store(settings: Settings, store: Store) -> Iterator[Finding]:
    yield check.tried("buckets", lambda: _buckets(store), "See the settings of the buckets.")
    yield from check.accounts(store.accounts.all())
    stored, vault = standing(store.secrets, settings.vault), settings.vault
    yield check.secrets(stored.plain, stored.former, stored.unreadable, vault.can_seal)
    yield from check.gates(store.gates.closures(), store.gates.pauses())
    yield check.work(store.views.counts(), store.views.workers(), store.views.oldest_waiting(), check.now())
    yield check.spool(len(make_spool(settings).waiting()), store.views.failing_deliveries())
    yield check.keys(store.keys.all())
    if given_up := sum(hook.given_up for hook in store.webhooks.all()):
        yield Finding("webhooks", Health.WARNING, f"{given_up} notices were never taken.", "registre api, page Access")


def _settings(settings: Settings) -> Finding:
    """Which were set, and where; never their values, which may be secrets."""
    names = {str(field.validation_alias) for field in type(settings).model_fields.values()}
    by_environment = sorted(name for name in names if os.environ.get(name))
    told = f"by the environment: {', '.join(by_environment) or 'none'}"
    return Finding("settings", Health.OK, told)


def _browser(settings: Settings) -> Finding:
    from registre.site.chromium import find_chromium  # where it is used: other commands must not wait for it

    found = find_chromium(settings.chromium and str(settings.chromium))
    if found is None:
        return Finding(
            "browser",
            Health.FAILED,
            "no Chromium that starts was found.",
            "make demo installs one, or set REGISTRE_CHROMIUM.",
        )
    return Finding("browser", Health.OK, str(found))


def _site(settings: Settings) -> Finding:
    """The free first page, once."""
    try:
        answer = httpx.get(settings.base_url, timeout=SITE_SECONDS, follow_redirects=True)
    except httpx.HTTPError as error:
        told = f"{settings.base_url} does not answer ({type(error).__name__})."
        return Finding("site", Health.WARNING, told, "See the network, and whether the registry is open.")
    told = f"{settings.base_url} answers {answer.status_code} in {answer.elapsed.total_seconds():.1f} s"
    if answer.status_code >= 500:
        return Finding("site", Health.WARNING, told, "The registry is away; orders wait by themselves.")
    return Finding("site", Health.OK, told)


def _broker(address: str) -> Finding:
    from actors.broker import probe  # where it is used: other commands must not wait for it

    try:
        return Finding("broker", Health.OK, probe(address))
    except Unavailable as error:
        # Documents are delivered all the same, some seconds later.
        return Finding(
            "broker", Health.WARNING, error.message, "Start it, or mend the host and port in REGISTRE_BROKER_URL."
        )
    except ConfigurationError as error:
        return Finding("broker", Health.FAILED, error.message, "Mend the user and password in REGISTRE_BROKER_URL.")


def _buckets(store: Store) -> Finding:
    store.bucket.probe()
    return Finding("buckets", Health.OK, "written, read and removed")
