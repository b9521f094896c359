"""One side as a process: the API, or a bare Litestar over the same kind of pool. `python -m benchmarks.api.server ROLE`.

Invariant: both are served by the product's own server, with its settings; a side ends when its input does.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from litestar import Litestar, get
from litestar.params import FromPath
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from api.server import serve
from benchmarks.queue.wire import database, say
from registre.database.gateway import DirectGateway
from registre.log import configure
from registre.serving import Server, listen, origin
from registre.storage.local import LocalBuckets
from registre.wiring import make_store

POOL = 8
"""As many connections as the product's gateway has."""
COLUMNS = (
    "id, status, document_source, document_number, circonscription_fonciere, cadastre, designation_secondaire, acte_type, "
    "client, batch_id, priority, worker_id, attemtps, max_attempts, supabase_path, error_kind, error_message, notes, "
    "cost_cents, step, next_attempt_at, wait_reason, deadline, created_at, processing_started_at, finished_at"
)


def bare(pool: ConnectionPool[Any]) -> Litestar:
    """One indexed query a handler, its rows as they come: what a program without rules would answer."""

    @get("/one/{job:str}", sync_to_thread=True)
    def one(job: FromPath[str]) -> dict[str, Any]:
        with pool.connection() as connection:
            [row] = connection.execute(
                f"select {COLUMNS} from public.extraction_queue where id = %s".encode(),  # noqa: S608 - columns of ours
                (job,),
            ).fetchall()
            return row  # type: ignore[no-any-return]

    @get("/page", sync_to_thread=True)
    def page() -> list[dict[str, Any]]:
        with pool.connection() as connection:
            rows: list[dict[str, Any]] = connection.execute(
                f"select {COLUMNS} from public.extraction_queue where status = 'Complété' and document_source = 'index' "  # noqa: S608
                "order by created_at desc, id desc limit 100".encode()
            ).fetchall()
            return rows

    return Litestar(route_handlers=[one, page], openapi_config=None, logging_config=None)


def serve_ours() -> None:
    configure("INFO")
    with DirectGateway(database()) as gateway, tempfile.TemporaryDirectory() as folder:
        store = make_store(gateway, LocalBuckets(Path(folder)))
        serve(store, "127.0.0.1", 0, announce=lambda address: say(address=address), stop_with_stdin=True)


def serve_bare() -> None:
    options = {"autocommit": True, "prepare_threshold": None, "row_factory": dict_row}
    with (
        ConnectionPool[Any](database(), kwargs=options, min_size=1, max_size=POOL, open=True) as pool,
        listen("127.0.0.1", 0, "The bare side") as listening,
    ):
        address = origin("127.0.0.1", listening)
        Server(bare(pool), listening, ready=lambda: say(address=address)).run_until_told(stop_with_stdin=True)


ROLES: dict[str, Callable[[], None]] = {"ours": serve_ours, "bare": serve_bare}

if __name__ == "__main__":
    ROLES[sys.argv[1]]()
