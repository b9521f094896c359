"""The command `registre`: `registre <noun> <verb>`, a table for people, `--json` for programs.

Invariant: what a person sees of an error is one sentence; the exit code says who must act.
"""

from __future__ import annotations

import sys
from contextlib import suppress

import typer

from registre.cli import (
    accounts,
    alerts,
    api,
    batches,
    costs,
    database,
    doctor,
    events,
    exchange,
    gates,
    hosts,
    jobs,
    keys,
    match,
    serve,
    site,
    site_check,
    supervision,
    tasks,
    tui,
)
from registre.errors import ConfigurationError, InvalidInput, NotFound, Refused, RegistreError, Unavailable
from registre.log import mask
from registre.plain import harmless
from registre.settings import load_settings

EXIT_FAILURE, EXIT_USAGE, EXIT_REFUSED, EXIT_TRY_LATER, EXIT_CONFIGURATION = 1, 2, 4, 75, 78

app = typer.Typer(
    name="registre",
    help="Orders documents from Quebec's land registry, buys each once, and delivers it to its bucket.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command("demo")
def demo() -> None:
    """Watch twelve orders become documents, on a twin of the registry. Nothing is real; each demo starts afresh."""
    from registre.cli.demo import demo as run  # where it is used: other commands must not wait for it

    run()


app.command("up")(serve.up)
app.command("tasks")(tasks.tasks)
app.command("twin")(serve.twin)
app.command("api")(api.api)
app.command("doctor")(doctor.doctor)
app.command("supervisord")(supervision.supervisord)
app.command("tui")(tui.tui)
app.command("replay")(tui.replay)
app.command("submit")(jobs.submit)
app.command("why")(gates.why)
app.command("pause")(gates.pause)
app.command("resume")(gates.resume)
app.command("events")(events.events)
app.command("import")(exchange.import_orders)
app.command("export")(exchange.export_batch)
app.command("match")(match.match_text)
app.add_typer(jobs.app, name="jobs")
app.add_typer(batches.app, name="batches")
app.add_typer(gates.gates, name="gates")
app.add_typer(gates.rules, name="rules")
app.add_typer(gates.hours, name="hours")
app.add_typer(costs.costs, name="costs")
app.add_typer(costs.fees, name="fees")
app.add_typer(costs.budgets, name="budgets")
app.add_typer(accounts.app, name="accounts")
app.add_typer(alerts.app, name="alerts")
app.add_typer(hosts.app, name="hosts")
app.add_typer(keys.app, name="keys")
site.app.command("check")(site_check.check)
app.add_typer(site.app, name="site")
app.add_typer(database.app, name="db")


def exit_code(error: RegistreError) -> int:
    """1 failure · 2 usage · 4 refused · 75 try later · 78 configuration."""
    match error:
        case InvalidInput():
            return EXIT_USAGE
        case ConfigurationError():
            return EXIT_CONFIGURATION
        case Unavailable():
            return EXIT_TRY_LATER
        case Refused():
            return EXIT_REFUSED
        case NotFound():
            return EXIT_FAILURE
        case _:
            return EXIT_FAILURE


def _sentence(error: RegistreError) -> str:
    """One line for a terminal, without secrets: a driver repeats an address it cannot read, password and all."""
    if isinstance(error, InvalidInput):
        return harmless(str(error))
    text = str(error)
    with suppress(ConfigurationError):
        settings = load_settings()
        for address in (settings.database_url, settings.broker_url):
            if address is not None:
                text = text.replace(address.get_secret_value(), "***")
    return harmless(mask(text))


def main() -> None:
    """Entry point: every error of ours is one sentence on stderr."""
    try:
        app()
    except RegistreError as error:
        typer.echo(_sentence(error), err=True)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        typer.echo("Interrupted.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away (for example `| head`).
        sys.stderr.close()
        sys.exit(EXIT_FAILURE)
