"""Which hosts a browser may reach: the registry's own, those that the profile names beside it, and a proxy on the way.

Invariant: every other name or address leads nowhere, for pages, redirects and scripts as for Chromium's own errands. No request
is intercepted for it, which would turn the cache off. Behind a proxy it is the proxy that looks names up, and that decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit
from urllib.request import getproxies


def only(base_url: str, others: Iterable[str]) -> str:
    """Chromium's argument for it; a host counts with all its ports. The proxies are those of the environment, which Chromium
    takes too."""
    set_to = [address for kind, address in getproxies().items() if kind != "no"]  # which names whom to ask without one
    proxies = (urlsplit(address if "://" in address else f"//{address}").hostname for address in set_to)
    hosts = dict.fromkeys([urlsplit(base_url).hostname, *(host.lower() for host in others), *proxies])
    return "--host-resolver-rules=" + " , ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in hosts if host)])
