"""A Supabase project: its address, its secret key, and the one HTTP client behind both of its services.

Invariant: the key is shown by nothing. HTTP/1.1 only, as one HTTP/2 connection of httpx does not bear several threads; and
the library repeats nothing by itself: only the adapters know what may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from supabase import Client, create_client
from supabase.lib.client_options import SyncClientOptions

KEY_REFUSED = (
    "Supabase refuses the key of SUPABASE_SECRET_KEY: it is wrong, expired, revoked, or not a secret (service role) one"
)
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Project:
    """Where it is, without a path, and the key of its service role."""

    url: str
    key: str = field(repr=False)


@contextmanager
def connected(project: Project, *, answer_seconds: float = ANSWER_SECONDS) -> Iterator[Client]:
    """A client that threads may share; nothing is asked of the project yet."""
    limits = httpx.Limits(max_connections=32, max_keepalive_connections=8, keepalive_expiry=20)
    timeout = httpx.Timeout(answer_seconds, connect=min(CONNECT_SECONDS, answer_seconds))
    # No redirect is followed: the key would go along to wherever it leads.
    with httpx.Client(http2=False, timeout=timeout, limits=limits, follow_redirects=False) as http:
        options = SyncClientOptions(
            httpx_client=http, auto_refresh_token=False, persist_session=False, postgrest_client_retry=False
        )
        yield create_client(project.url, project.key, options)


def in_a_word(error: httpx.HTTPError) -> str:
    """Why there was no answer: the library's own words, which name neither key nor address, or the kind of failure."""
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
