"""Whatever a stranger writes where a cursor, a key, an event's id or an address is expected: taken as it is, or one sentence."""

from __future__ import annotations

import base64
import ipaddress
import string
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from api import paging
from api.desk import checked_key
from registre.access import make_key, prefix_of
from registre.errors import InvalidInput
from registre.posting import is_public
from registre.webhooks import checked_url

anything = st.text(max_size=80)
near_a_cursor = st.from_regex(r"[0-9T:.+-]{10,40}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", fullmatch=True)
encoded = st.one_of(anything, near_a_cursor).map(
    lambda text: base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")
)


def outcome(parse: Callable[[], object]) -> object:
    """What it gave, or None for a refusal, which is one sentence."""
    refused = None
    try:
        return parse()
    except InvalidInput as error:
        refused = error.message
    assert refused.endswith(".")
    assert "\n" not in refused
    return None


@given(st.one_of(anything, encoded))
def test_a_listing_s_cursor_is_read_as_it_was_shown_or_refused(text: str) -> None:
    cursor = outcome(lambda: paging.read(text))
    if cursor is not None:
        assert isinstance(cursor, str)
        at, _, job = cursor.partition("_")
        assert datetime.fromisoformat(at).tzinfo is not None
        assert len(job) == 36
        assert paging.read(paging.shown(cursor)) == cursor


@given(near_a_cursor)
def test_a_cursor_that_was_shown_is_read_back_or_never_was_one(cursor: str) -> None:
    assert outcome(lambda: paging.read(paging.shown(cursor))) in (cursor, None)


@given(st.one_of(anything, st.text("0123456789-\n ٣", max_size=40)))
@example("1-2-3\n")
@example("١-٢-٣")
def test_an_event_s_id_is_three_numbers_or_refused(text: str) -> None:
    cursor = outcome(lambda: paging.read_event_cursor(text, "Last-Event-ID"))
    assert cursor in (text, None)
    if cursor:
        first, second, third = text.split("-")
        assert all(part.isascii() and part.isdigit() for part in (first, second, third))


@given(st.one_of(anything, st.text(string.printable, max_size=300)))
@example("dossier-12\n")
@example("a" * 256)
def test_a_key_of_an_order_is_visible_ascii_or_refused(text: str) -> None:
    key = outcome(lambda: checked_key(text))
    assert key in (text, None)
    if key is not None:
        assert 1 <= len(text) <= 255
        assert all("!" <= sign <= "~" for sign in text)


@given(st.one_of(anything, st.text("registre_0123456789abcdef-\n", min_size=40, max_size=70)))
@example(make_key().text + "\n")
def test_what_has_not_the_form_of_a_key_has_no_prefix(text: str) -> None:
    prefix = prefix_of(text)
    if prefix is not None:
        assert text.isascii()
        assert text.startswith(f"registre_{prefix}_")
        assert not any(sign.isspace() for sign in text)


addresses = st.one_of(
    anything,
    st.builds(
        "{}://{}{}:{}/{}".format,
        st.sampled_from(["https", "http", "HTTPS", "ftp", "file", ""]),
        st.sampled_from(["", "user@", "user:word@", "@"]),
        st.one_of(anything, st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map("[{}]".format)),
        st.one_of(st.integers(-1, 70_000).map(str), anything),
        anything,
    ),
)


@given(addresses, st.booleans())
@example("https://[::1", True)
@example("https://hooks.example.org:0/", False)
def test_a_webhook_s_address_is_https_with_a_host_and_nobody_s_password_or_refused(url: str, private: bool) -> None:
    def take() -> str:
        checked_url(url, private=private)
        return url

    if outcome(take) is None:
        return
    parts = urlsplit(url)
    assert parts.scheme in ({"https", "http"} if private else {"https"})
    assert parts.hostname
    assert parts.username is None
    assert parts.password is None
    assert parts.port is None or 1 <= parts.port <= 65_535


INNER = ["10.1.2.3", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0"]  # noqa: S104 - judged, not bound
GATEWAYS: dict[str, Callable[[int], int]] = {
    "mapped": lambda inner: 0xFFFF << 32 | inner,
    "6to4": lambda inner: 0x2002 << 112 | inner << 80,
    "NAT64": lambda inner: 0x64FF9B << 96 | inner,
}


@pytest.mark.parametrize("way", GATEWAYS)
@pytest.mark.parametrize("inner", INNER)
def test_an_inner_address_in_the_clothes_of_an_outer_one_is_not_public(way: str, inner: str) -> None:
    assert not is_public(inner)
    dressed = ipaddress.IPv6Address(GATEWAYS[way](int(ipaddress.IPv4Address(inner))))
    assert not is_public(str(dressed)), dressed


@given(st.sampled_from(sorted(GATEWAYS)), st.ip_addresses(v=4))
def test_an_address_behind_a_gateway_is_judged_as_itself(way: str, inner: ipaddress.IPv4Address) -> None:
    dressed = ipaddress.IPv6Address(GATEWAYS[way](int(inner)))
    assume(way != "mapped" or dressed.ipv4_mapped is not None)
    assert is_public(str(dressed)) == is_public(str(inner))
