"""`registre db …`: the schema of the database in use."""

from __future__ import annotations

import typer

from registre.cli.options import JsonFlag
from registre.cli.output import show_json
from registre.settings import load_settings
from registre.wiring import open_database, plan

app = typer.Typer(help="The database's schema.", no_args_is_help=True)


@app.command("status")
def status(as_json: JsonFlag = False) -> None:
    """Say which database is used and what is applied. Exit 0 when nothing is pending, 1 otherwise."""
    with open_database(load_settings()) as database:
        state = database.state()
        where, mode = database.where, database.mode()
    if as_json:
        show_json({"where": where, "mode": mode, "applied": state.applied, "pending": state.pending,
                   "functions_current": state.functions_current})  # fmt: skip
    else:
        typer.echo(f"database: {where}")
        typer.echo(f"connection: {mode}")
        typer.echo(f"applied: {', '.join(state.applied) or 'nothing'}")
        typer.echo(f"pending: {', '.join(state.pending) or 'nothing'}")
        typer.echo(f"functions: {'current' if state.functions_current else 'to be replaced'}")
    if not state.current:
        raise typer.Exit(1)


@app.command("upgrade")
def upgrade() -> None:
    """Create what is missing and adopt what exists; never drops or renames."""
    with open_database(load_settings()) as database:
        done = database.upgrade()
    typer.echo(f"applied: {', '.join(done)}" if done else "nothing to apply")


@app.command("plan")
def print_plan() -> None:
    """Print everything `upgrade` does as one SQL script, for the SQL editor of a Supabase project. Running it twice is fine."""
    typer.echo(plan())
