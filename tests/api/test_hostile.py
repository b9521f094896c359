"""Whatever is sent, and however: refused with a clear 4xx, nothing written, and nobody else kept waiting."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from api import bodies
from api.app import create_app
from registre.access import Role
from registre.wiring import Store
from tests.api.conftest import NOBODY, ORDER, Asking, running
from tests.waiting import SECONDS

JSON = "application/json"
TEXT = json.dumps({**ORDER, "circonscription_fonciere": "Montréal"}, ensure_ascii=False)
TAKES_JSON = [
    ("POST", "/api/extractions"),
    ("POST", "/api/batches"),
    ("POST", "/api/extractions/bulk"),
    ("POST", f"/api/extractions/{NOBODY}/settle"),
    ("POST", "/api/accounts"),
    ("PUT", "/api/pauses"),
    ("PUT", "/api/rules/pace_seconds"),
    ("PUT", "/api/hours"),
    ("PUT", "/api/holidays/2026-12-25"),
    ("PUT", "/api/budgets"),
    ("PUT", "/api/fees"),
    ("POST", "/api/webhooks"),
    ("POST", "/api/keys"),
]
BODIES = {
    "latin-1": (TEXT.encode("latin-1"), JSON),
    "UTF-16": (TEXT.encode("utf-16"), JSON),
    "UTF-7": (TEXT.encode("utf-7"), "application/json; charset=utf-7"),
    "a byte order mark": (b"\xef\xbb\xbf" + TEXT.encode(), JSON),
    "half a character": (rb'{"document_source": "index", "document_number": "\ud800", "cadastre": "x"}', JSON),
    "half a character as bytes": (b'{"document_number": "\xed\xa0\x80"}', JSON),
    "NUL": (b'{"document_source": "index", "document_number": "1\x00", "cadastre": "x"}', JSON),
    "NUL escaped": (rb'{"document_source": "index", "document_number": "1\u0000", "cadastre": "x", "name": "\u0000"}', JSON),
    "only NULs": (b"\x00" * 1000, JSON),
    "nothing": (b"", JSON),
    "deep": (b"[" * 50_000, JSON),
    "deep and closed": (b'{"a":' * 2000 + b"1" + b"}" * 2000, JSON),
    "a number without end": (b'{"expected": ' + b"9" * 5000 + b"}", JSON),
    "not a number": (b'{"value": NaN, "expected": Infinity}', JSON),
    "a list": (b"[]", JSON),
    "twice one name": (b'{"scope": "site", "scope": "moon", "reason": "x"}', JSON),
    "XML": (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "application/xml"),
    "packed": (b"\x1f\x8b\x08\x00" + b"\x00" * 50, JSON),
    "a form without a boundary": (b"--x\r\n\r\n", "multipart/form-data"),
    "a form without an end": (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n', "multipart/form-data; boundary=x"),
    "a type that is none": (b"{}", "a/b/c; charset=\xff"),
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_none_is_refused_and_changes_nothing(ask: Asking, body: str) -> None:
    content, kind = BODIES[body]
    ask.key(Role.ADMIN)
    before = [event.kind for event in ask.store.views.last_events(9)]
    for method, path in TAKES_JSON:
        answer = ask(method, path, content=content, headers={"Content-Type": kind.encode("latin-1")})
        assert 400 <= answer.status_code < 500, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        assert "Traceback" not in answer.text
        assert answer.text.isprintable(), "what was sent comes back without what commands a terminal"
    assert [event.kind for event in ask.store.views.last_events(9)] == before


@pytest.fixture
def place(store: Store) -> Iterator[tuple[str, int]]:
    """Where the application listens, on a real socket."""
    with running(create_app(store)) as address:
        parts = urlsplit(address)
        assert parts.hostname is not None
        assert parts.port is not None
        yield parts.hostname, parts.port


def status_of(place: tuple[str, int], request: bytes) -> int:
    """The status of the first answer; 0 when the connection was closed without any."""
    with socket.create_connection(place, timeout=SECONDS) as connection:
        try:
            connection.sendall(request)
            head = connection.makefile("rb").readline()
        except ConnectionError:
            return 0
    return int(head.split()[1]) if head else 0


def request(target: bytes, key: str, *more: bytes, method: bytes = b"GET", body: bytes = b"") -> bytes:
    headers = [b"Host: localhost", b"X-API-Key: " + key.encode(), *more]
    return b"%s %s HTTP/1.1\r\n%s\r\n\r\n%s" % (method, target, b"\r\n".join(headers), body)


TARGETS = [
    b"/..%2f..%2f..%2fetc%2fpasswd",
    b"/docs/..%2f..%2fapi%2fserver.py",
    b"/api/extractions/..%2f..%2fapi%2fkeys",
    b"/api/extractions/%2e%2e%2f%2e%2e",
    b"/api/extractions/%00",
    b"/api/extractions/%ff%fe",
    b"/api/extractions/%u0041",
    b"/api/extractions/a%0d%0aX-Made-Up:%201",
    b"/api/batches/%2fdocuments.zip",
    b"/api/batches/../../documents.zip",
    b"/api/forms/..%2findex/accept",
    b"/api/holidays/%F0%9F%8E%84",
    b"/api/extractions;a=b",
    b"/api\\extractions\\x",
    b"/" + b"a" * 20_000,
    b"/" + b"a/" * 10_000,
    b"/nowhere" + b"%2f" * 10_000,
    b"/" + b"a" * 200_000,
    b"/api/extractions?" + b"a=b&" * 10_000 + b"limit=x",
    b"/api/extractions?limit=" + b"9" * 5_000,
    b"/api/extractions?cursor=%ff%00",
    b"http://elsewhere.example/nowhere",
    b"/nowhere#/api/extractions",
    b"*",
    b"",
]


def test_no_trick_with_a_path_finds_anything(place: tuple[str, int], ask: Asking) -> None:
    key = ask.key(Role.ADMIN)
    for target in TARGETS:
        assert 400 <= status_of(place, request(target, key)) < 500, target[:60]


@pytest.mark.parametrize(
    "target", [b"//api/extractions", b"/api//extractions", b"/api/./extractions", b"//nowhere//api/keys"]
)
def test_a_path_written_otherwise_opens_nothing_without_a_key(place: tuple[str, int], target: bytes) -> None:
    assert status_of(place, request(target, "nobody's")) in (401, 404)


HEADERS = {
    "two hosts": [b"Host: elsewhere.example"],
    "a header without end": [b"X-Long: " + b"x" * 200_000],
    "many headers": [b"X-%d: %s" % (number, b"x" * 500) for number in range(500)],
    "a name with a space": [b"X Y: 1"],
    "NUL": [b"X-Nul: a\x00b"],
    "a line of its own": [b"no colon at all"],
    "two lengths": [b"Content-Length: 1", b"Content-Length: 2"],
    "a length below nothing": [b"Content-Length: -1"],
    "a length that is no number": [b"Content-Length: 0x10"],
    "an encoding nobody has": [b"Transfer-Encoding: chunked, nonsense"],
}


@pytest.mark.parametrize("headers", HEADERS)
def test_headers_that_are_none_are_refused(place: tuple[str, int], ask: Asking, headers: str) -> None:
    asked = request(b"/api/extractions", ask.key(Role.ADMIN), *HEADERS[headers])
    assert 400 <= status_of(place, asked) < 500


def test_a_host_is_needed_and_odd_values_are_refused_or_mean_nothing(place: tuple[str, int], ask: Asking) -> None:
    key = ask.key(Role.ADMIN)
    assert status_of(place, b"GET /api HTTP/1.1\r\nX-API-Key: %s\r\n\r\n" % key.encode()) == 400
    for value in (b"\xff\xfe", b"registre_", b"x" * 10_000, b"registre_00000000_" + b"\xe9" * 43):
        assert status_of(place, b"GET /api HTTP/1.1\r\nHost: a\r\nX-API-Key: %s\r\n\r\n" % value) == 401
    for header in (b"Last-Event-ID: \xff", b"Last-Event-ID: " + b"9" * 5_000, b"Last-Event-ID: 1-2-3-4"):
        assert status_of(place, request(b"/api/events", key, header)) == 400
    body = json.dumps(ORDER).encode()
    more = (b"Content-Type: application/json", b"Content-Length: %d" % len(body), b"Idempotency-Key: \xe9\xff")
    assert status_of(place, request(b"/api/extractions", key, *more, method=b"POST", body=body)) == 400
    assert status_of(place, request(b"/api", key, b"If-None-Match: " + b'"' * 5_000)) == 200
    assert ask.store.views.jobs() == []


@pytest.mark.parametrize("path", [path for method, path in TAKES_JSON if method == "POST"])
def test_a_body_without_a_length_that_never_stops_is_too_large(place: tuple[str, int], ask: Asking, path: str) -> None:
    chunked = (b"Content-Type: application/json", b"Transfer-Encoding: chunked")
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    asked = request(path.encode(), ask.key(Role.ADMIN), *chunked, method=b"POST", body=chunk * 40)
    # Let go while it still sends, it may not live to read the answer.
    assert status_of(place, asked) in (413, 0)


BEGUN = (b"Content-Length: 1000", b"Content-Type: application/json")


def test_bodies_that_never_end_keep_nobody_else_waiting(place: tuple[str, int], ask: Asking) -> None:
    begun = request(b"/api/extractions", ask.key(Role.ADMIN), *BEGUN, method=b"POST", body=b'{"document')
    with ExitStack() as stack:
        # more than a server has threads
        slow = [stack.enter_context(socket.create_connection(place, timeout=SECONDS)) for _ in range(60)]
        for connection in slow:
            connection.sendall(begun)
        assert status_of(place, request(b"/api/extractions", ask.key(Role.VIEWER))) == 200
        answered, _, _ = select.select(slow, [], [], 0)
        assert answered == []
    assert ask.store.views.jobs() == []


def test_a_body_that_never_ends_is_let_go(place: tuple[str, int], ask: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.1)
    for path in (b"/api/extractions", b"/api/batches"):
        begun = request(path, ask.key(Role.ADMIN), *BEGUN, method=b"POST", body=b'{"document')
        assert status_of(place, begun) == 408


def test_whoever_has_no_key_is_refused_before_the_body_comes(place: tuple[str, int]) -> None:
    begun = request(b"/api/batches", "nobody's", b"Content-Length: 9000000", method=b"POST", body=b"a")
    assert status_of(place, begun) == 401
