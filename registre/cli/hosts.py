"""`registre hosts list`: the hosts as the database last heard of them."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.text import Text

from registre.cli.options import JsonFlag
from registre.cli.output import moment, show_json, show_table
from registre.job import HostView
from registre.settings import load_settings
from registre.wiring import open_store

app = typer.Typer(help="The hosts whose workers share the orders.", no_args_is_help=True)

SIGNS = {"alive": ("● alive", "green"), "silent": ("✗ silent", "red"), "stopped": ("○ stopped", "dim")}


@app.command("list")
def list_hosts(as_json: JsonFlag = False) -> None:
    """List every host: whether its worker renews what it holds, stopped without a word, or drained."""
    with open_store(load_settings()) as store:
        hosts = store.views.hosts()
    if as_json:
        show_json([asdict(host) for host in hosts])
        return
    show_table(
        f"{len(hosts)} hosts",
        ("host", "state", "version", "boot", "started", "last seen", "accounts", "in its spool", "upkeep"),
        [
            (h.host, Text(*SIGNS[h.state]), h.version, h.boot, moment(h.started_at), moment(h.seen_at), h.accounts,
             _spool(h), "for all" if h.does_upkeep else "")
            for h in hosts
        ],
    )  # fmt: skip


def _spool(host: HostView) -> str:
    """What is bought and not yet in its bucket, and since when."""
    return f"{host.undelivered}, since {moment(host.oldest_undelivered_at)}" if host.undelivered else "nothing"
