"""The API as a server, and the first key of a new database.

Invariant: an API that asks nobody for a key listens on loopback only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from api.alerts import Watch
from api.app import create_app
from api.stream import hub_of
from registre.errors import ConfigurationError
from registre.serving import Server, is_loopback, listen, origin
from registre.wiring import Store


def serve(
    store: Store,
    host: str,
    port: int,
    *,
    open_to_all: bool = False,
    private_webhooks: bool = False,
    evidence: Path | None = None,
    announce: Callable[[str], None] = lambda _: None,
    stop_with_stdin: bool = False,
) -> None:
    """Serve until SIGINT, SIGTERM or, if asked, the end of stdin; `announce` gets the address once it listens.

    Raises ConfigurationError for a host that is no address, Unavailable when the port is taken.
    """
    if open_to_all and not is_loopback(host):
        raise ConfigurationError(
            f"REGISTRE_API_OPEN asks nobody for a key, and REGISTRE_API_HOST ({host}) is not loopback: set one of them back."
        )
    with listen(host, port, "The API") as listening:
        address = origin(host, listening)
        app = create_app(store, open_to_all=open_to_all, private_webhooks=private_webhooks, evidence=evidence)
        hub, watch = hub_of(app), Watch(store)
        watch.start()
        try:
            Server(app, listening, ready=lambda: announce(address), stopping=hub.close).run_until_told(stop_with_stdin)
        finally:
            watch.stop()
    hub.wait()
    watch.wait()
