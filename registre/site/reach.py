"""Which hosts a browser may reach: the registry's own, and those that the profile names beside it.

Invariant: every other name or address leads nowhere, for pages, redirects and scripts as for Chromium's own errands. No request
is intercepted for it, which would turn the cache off. Behind a proxy it is the proxy that looks names up, and that decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit


def only(base_url: str, others: Iterable[str]) -> str:
    """Chromium's argument for it; a host counts with all its ports."""
    hosts = dict.fromkeys([urlsplit(base_url).hostname or "", *(host.lower() for host in others)])
    return "--host-resolver-rules=" + " , ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in hosts if host)])
