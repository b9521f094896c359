"""A notice arrives signed, and nowhere on the inside; whoever does not take it is told about in one sentence."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from registre.errors import InvalidInput
from registre.notifying import NotTaken, body_of
from registre.posting import HttpPoster, is_public
from registre.webhooks import NewWebhook, Notice, NoticeId, checked, make_secret

SECRET = make_secret()


class Other(ThreadingHTTPServer):
    """Another program: keeps what it is told, and answers as a test says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.status = 204
        self.told: list[tuple[dict[str, str], bytes]] = []

    def url(self, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_address[1]}/hook"


class Taking(BaseHTTPRequestHandler):
    server: Other

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        self.server.told.append(({name.lower(): value for name, value in self.headers.items()}, content))
        self.send_response(self.server.status)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing to be said."""


@pytest.fixture
def other() -> Iterator[Other]:
    with Other() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def notice(url: str) -> Notice:
    return Notice(NoticeId("n-1"), url, SECRET, "job.completed", {"extraction_id": "1", "é": "ù"}, datetime.now(UTC), 1)


def post(url: str, *, private: bool = True) -> int:
    told = notice(url)
    return HttpPoster(private=private).post(told, body_of(told), datetime.now(UTC))


def test_a_notice_arrives_signed_after_the_convention(other: Other) -> None:
    assert post(other.url("localhost")) == 204
    [(headers, content)] = other.told
    told = Verifier(SECRET).verify(content, headers)
    assert told["type"] == "job.completed"
    assert told["data"] == {"extraction_id": "1", "é": "ù"}
    assert headers["webhook-id"] == "n-1"
    assert headers["host"].startswith("localhost:")
    assert "authorization" not in headers


@pytest.mark.parametrize("status", [301, 307, 400, 500])
def test_what_is_not_taken_is_told_with_its_status_and_no_redirect_is_followed(other: Other, status: int) -> None:
    other.status = status
    with pytest.raises(NotTaken, match=str(status)) as error:
        post(other.url())
    assert error.value.status == status
    assert len(other.told) == 1


def test_nobody_is_told_of_what_cannot_be_reached(other: Other) -> None:
    other.server_close()
    with pytest.raises(NotTaken, match="cannot be reached") as error:
        post(other.url())
    assert SECRET not in str(error.value)


def test_an_own_network_is_not_told_unless_a_setting_allows_it(other: Other) -> None:
    for url in ("https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://10.0.0.1/", other.url()):
        with pytest.raises(NotTaken, match=r"own network|https"):
            post(url, private=False)
    assert other.told == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.1", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::",
        "ff02::1",
    ],
)  # fmt: skip
def test_an_address_of_the_inside_is_no_public_one(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_an_address_of_the_internet_is_a_public_one(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "example.com",
        "https://",
        "https://a:0/",
        "https://a b/",
        "https://[x/",
    ],
)
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as error:
        checked(NewWebhook("a firm", url), private=False)
    assert error.value.field == "url"


def test_a_url_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(InvalidInput) as error:
        checked(NewWebhook("a firm", "https://user:hunter2@example.com/"), private=False)
    assert "hunter2" not in str(error.value)


def test_a_webhook_says_whose_it_is_and_of_what() -> None:
    good = NewWebhook("a firm", "https://example.com/")
    assert checked(good, private=False) is good
    for new, field in [
        (NewWebhook(" ", good.url), "name"),
        (NewWebhook("a", good.url, ()), "kinds"),
        (NewWebhook("a", good.url, ("Job",)), "kinds"),
        (NewWebhook("a", good.url, client="a\x00"), "client"),
    ]:
        with pytest.raises(InvalidInput) as error:
            checked(new, private=False)
        assert error.value.field == field
