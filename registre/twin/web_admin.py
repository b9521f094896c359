"""The twin's own door, under `/_twin/`: its bill, its counts and its faults.

Invariant: nothing here touches a session's idle clock, is counted as a page or suffers a fault.
"""

from __future__ import annotations

from dataclasses import asdict

from litestar import Response, delete, get, post
from litestar.exceptions import ClientException
from litestar.params import JSONBody

from registre.twin.faults import FAULTS
from registre.twin.web import UsesTwin

ADMIN = "/_twin"


@get(f"{ADMIN}/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@get(f"{ADMIN}/ledger")
async def ledger(twin: UsesTwin) -> list[dict[str, object]]:
    return twin.bill()


@get(f"{ADMIN}/requests")
async def requests(twin: UsesTwin) -> dict[str, object]:
    return twin.report()


@get(f"{ADMIN}/faults")
async def faults(twin: UsesTwin) -> dict[str, object]:
    """What is set, and what can be."""
    known = {name: asdict(spec) for name, spec in FAULTS.items()}
    return {"set": twin.faults.snapshot(), "known": known}


@post(f"{ADMIN}/faults", status_code=200)
async def set_faults(twin: UsesTwin, data: JSONBody[dict[str, object]]) -> dict[str, object]:
    """`{"latency_ms": 200, "status_5xx": {"count": 3, "page": "viewer"}, "maintenance": false}` → what is set now.

    400 names what is wrong.
    """
    try:
        twin.faults.update(data)
    except ValueError as error:
        raise ClientException(detail=str(error)) from error
    return twin.faults.snapshot()


@delete(f"{ADMIN}/faults", status_code=200)
async def clear_faults(twin: UsesTwin) -> Response[dict[str, object]]:
    twin.faults.clear()
    return Response(twin.faults.snapshot())


HANDLERS = [health, ledger, requests, faults, set_faults, clear_faults]
