"""What DATABASE_URL leads to: the server itself, or a pooler in front of it, which takes away more or less.

Invariant: an address is read and never changed but for the words of other programs' libraries, which the driver does not know.
"""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

TRANSACTION_PORT = "6543"
SUPABASE_POOLER = ".pooler.supabase.com"
_OF_OTHERS = frozenset(("pgbouncer", "connection_limit", "pool_timeout", "supa"))


class Route(StrEnum):
    """How a connection comes to the server."""

    DIRECT = "direct"
    SESSION_POOLER = "session pooler"
    TRANSACTION_POOLER = "transaction pooler"
    """A connection is another server's at each transaction: no LISTEN, no prepared statements."""


def read_address(address: str) -> tuple[str, Route]:
    """The address for the driver, and its route as far as it shows: Supabase's port of transaction poolers, or `pgbouncer=true`.

    What is no address is returned as it is; connecting says what is wrong with it.
    """
    address, told = _without_words_of_others(address)
    try:
        parts = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        return address, Route.DIRECT
    if told.get("pgbouncer", "").lower() in {"true", "1", "yes"} or str(parts.get("port")) == TRANSACTION_PORT:
        return address, Route.TRANSACTION_POOLER
    hosts = str(parts.get("host") or "").split(",")
    return address, Route.SESSION_POOLER if any(h.endswith(SUPABASE_POOLER) for h in hosts) else Route.DIRECT


def _without_words_of_others(address: str) -> tuple[str, dict[str, str]]:
    if not address.startswith(("postgresql://", "postgres://")):
        return address, {}
    try:
        parts = urlsplit(address)
    except ValueError:
        return address, {}
    words = parse_qsl(parts.query, keep_blank_values=True)
    told = {name: value for name, value in words if name in _OF_OTHERS}
    if not told:
        return address, {}
    # `quote` and not `urlencode`, whose plus sign the driver would take for one.
    query = "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in words if name not in _OF_OTHERS)
    return urlunsplit(parts._replace(query=query)), told
