"""`registre api`: the HTTP API, until it is told to stop."""

from __future__ import annotations

import sys
from threading import Event
from typing import Annotated

import typer

from registre.cli.starting import WaitFlag, store_when_there, when_there
from registre.log import configure
from registre.operations import first_key
from registre.settings import Where, load_settings


def api(
    host: Annotated[str | None, typer.Option(help="Address to listen on; REGISTRE_API_HOST, else 127.0.0.1.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one. REGISTRE_API_PORT, else 3000.", min=0, max=65535)
    ] = None,
    wait: WaitFlag = False,
    stop_with_stdin: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Serve the HTTP API until Ctrl-C. Every caller needs a key: `registre keys add`."""
    from api.server import serve  # where it is used: other commands must not wait for it

    settings = load_settings(api_host=host, api_port=port)
    configure(settings.log_level)
    never = Event()  # no signal is caught before the server runs: one ends the program while it waits
    with store_when_there(settings, never, wait=wait) as store:

        def announce(address: str) -> None:
            """Once it listens: a start that fails must not use up the first key."""
            if not settings.api_open:
                if settings.where is Where.EMBEDDED and (text := first_key(store.keys)):
                    typer.echo(f"first start: this key of an admin is shown once, keep it: {text}", err=True)
                elif not store.keys.all():
                    typer.echo("No key yet: make one with `registre keys add NAME --role admin`.", err=True)
            typer.echo(f"api at {address}", err=True)
            if stop_with_stdin:
                typer.echo(address)  # for the parent that holds the other end
                sys.stdout.flush()

        def run() -> None:
            serve(
                store,
                settings.api_host,
                settings.api_port,
                open_to_all=settings.api_open,
                private_webhooks=settings.webhooks_private,
                evidence=settings.evidence_folder,
                announce=announce,
                stop_with_stdin=stop_with_stdin,
            )

        when_there(run, never, wait=wait)
