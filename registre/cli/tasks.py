"""`registre tasks`: the tasks of this host in a program of their own, beside `registre up --no-tasks`."""

from __future__ import annotations

import typer

from registre.cli.starting import WaitFlag, stop_on_signals, store_when_there, when_there
from registre.log import configure
from registre.settings import load_settings


def tasks(wait: WaitFlag = False) -> None:
    """Deliver what this host's worker has bought, and send notices, until Ctrl-C: what is being delivered is finished."""
    from actors.host_tasks import HostTasks  # where it is used: other commands must not wait for it

    settings = load_settings()
    configure(settings.log_level)
    stop = stop_on_signals()
    with store_when_there(settings, stop, wait=wait) as store:
        running = when_there(lambda: HostTasks(settings, store), stop, wait=wait)
        running.start()
        heard = (
            "woken over the broker, and by the clock while it is away"
            if settings.broker_url
            else "no broker: the spool is looked at by the clock"
        )
        typer.echo(f"ready, {heard}; Ctrl-C to stop", err=True)
        try:
            stop.wait()
        finally:
            typer.echo("stopping: what is being delivered is finished, the rest is safe in the spool", err=True)
            running.drain()
