"""Sends notices over HTTP, and to nobody on the inside.

Invariant: the address that was judged is the one that is connected to, so that a name cannot change in between; no redirect is
followed, and of an answer only its status is read. Private and loopback addresses are refused unless a setting allows them.
"""

from __future__ import annotations

import ipaddress
import socket
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

import httpx
from standardwebhooks.webhooks import Webhook as Signer

from registre.errors import InvalidInput
from registre.notifying import NotTaken
from registre.webhooks import Notice, checked_url

TRY_SECONDS = 10.0
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class HttpPoster:
    """Implements `registre.notifying.Poster`. Thread-safe."""

    def __init__(self, *, private: bool = False) -> None:
        """`private` allows http, and addresses of one's own network."""
        self._private = private

    def post(self, notice: Notice, body: bytes, at: datetime) -> int:
        parts = self._judged(notice.url)
        host = parts.hostname or ""
        address = self._address(host, parts.port or (443 if parts.scheme == "https" else 80))
        target = parts._replace(netloc=_netloc(address, parts.port)).geturl()
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/json",
            "User-Agent": "registre",
            "webhook-id": notice.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Signer(notice.secret).sign(notice.id, at, body.decode()),
        }
        try:
            with (
                httpx.Client(timeout=TRY_SECONDS, follow_redirects=False, trust_env=False) as client,
                client.stream(
                    "POST", target, content=body, headers=headers, extensions={"sni_hostname": host}
                ) as answer,
            ):
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotTaken(f"{host} cannot be reached: {type(error).__name__}.") from None
        if not 200 <= status < 300:
            raise NotTaken(f"{host} answered {status}.", status)
        return status

    def _judged(self, url: str) -> SplitResult:
        try:
            checked_url(url, private=self._private)
        except InvalidInput as error:
            raise NotTaken(error.message) from None
        return urlsplit(url)

    def _address(self, host: str, port: int) -> str:
        """The first of the host's addresses, all of which must be allowed."""
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError):
            raise NotTaken(f"{host} has no address.") from None
        for address in found:
            if not self._private and not is_public(address):
                raise NotTaken(f"{host} is an address of an own network; REGISTRE_WEBHOOKS_PRIVATE allows these.")
        return found[0]


def is_public(address: str) -> bool:
    """Whether it is one that anybody on the internet has; an IPv4 address within an IPv6 one is judged as itself."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        found = _within(found) or found
    return found.is_global and not found.is_multicast


def _within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a gateway would make of it: mapped, 6to4, or behind the well-known prefix of NAT64 (RFC 6052)."""
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour


def _netloc(address: str, port: int | None) -> str:
    name = f"[{address}]" if ":" in address else address
    return name if port is None else f"{name}:{port}"
