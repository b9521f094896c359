"""An embedded PostgreSQL as the product starts it, but with room for the connections of many hosts, its functions timed and the
pages counted that each call touches.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from registre.database import schema
from registre.database.binaries import choose_binaries
from registre.database.gateway import DirectGateway
from registre.database.server import EmbeddedServer

MOST_CONNECTIONS = 600
COUNTED = "--track_functions=all --shared_preload_libraries=pg_stat_statements"


def give_precedence(postmaster: psutil.Process | None) -> bool:
    """Let the server have a processor whenever it wants one, as on a machine of its own. False when we may not.

    By the scheduler's class of real time, in turns among themselves. A lower priority of the hosts does not do it: it counts only
    within their session (`sched_autogroup_enabled`), and backends were seen to wait up to 47 ms for a thread of a host.
    """
    assert postmaster is not None
    try:
        for process in (postmaster, *postmaster.children()):  # each later backend inherits it
            os.sched_setscheduler(process.pid, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        return False
    return True


@contextmanager
def roomy_server() -> Iterator[tuple[str, bool]]:
    """Its DSN, on a current schema, and whether it has precedence. It waits for the disk at each commit, as in production."""
    real = choose_binaries(None, os.environ, None).folder
    if not (real.parent / "lib" / "pg_stat_statements.so").is_file():
        raise SystemExit(f"bench: the PostgreSQL of {real} has no pg_stat_statements; Debian's packages have it.")
    # Not below a folder that only root may enter: the server runs as another user.
    home, programs = (Path(tempfile.mkdtemp(prefix=f"registre-{name}-")) for name in ("bench", "bin"))
    programs.chmod(0o755)
    for name in ("postgres", "initdb"):
        # The last of two settings counts, and the product's own come before.
        more = f"--max_connections={MOST_CONNECTIONS} {COUNTED}" if name == "postgres" else ""
        wants = 'case "$1" in -D) ' if name == "postgres" else "case x in x) "
        script = f'#!/bin/sh\n{wants}exec "{real / name}" "$@" {more} ;; *) exec "{real / name}" "$@" ;; esac\n'
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    try:
        with EmbeddedServer(home, binaries=programs) as server:
            assert server.address is not None
            dsn = server.address.dsn
            with DirectGateway(dsn) as gateway:
                schema.upgrade(gateway)
            with psycopg.connect(dsn) as connection:
                row = connection.execute("show max_connections").fetchone()
                assert row == (str(MOST_CONNECTIONS),), "the server does not take the settings"
                connection.execute("create schema counted")
                connection.execute("create extension pg_stat_statements schema counted")
                precedence = give_precedence(psutil.Process(connection.info.backend_pid).parent())
            yield dsn, precedence
    finally:
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(programs, ignore_errors=True)
