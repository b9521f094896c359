"""A browser reaches the registry's host and no other, whatever a page of it says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.async_api import Error as PlaywrightError

from registre.site.chromium import find_chromium
from registre.site.profile import load_profile
from registre.site.reach import only
from registre.site.registry import SiteRegistry
from tests.site.visit import Visit

_LOAD = """
async ([as, address]) => {
  const made = Object.assign(document.createElement(as), { src: address });
  const over = new Promise(resolve => { made.onload = () => resolve(true); made.onerror = () => resolve(false); });
  document.body.append(made);
  return over;
}
"""


class Elsewhere(ThreadingHTTPServer):
    """Another server of this machine, by whatever name: what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[str] = []

    def at(self, host: str, path: str) -> str:
        return f"http://{host}:{self.server_address[1]}/{path}"


class Answering(BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing to be said."""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def loaded(visit: Visit, kind: str, address: str) -> bool:
    """Whether a page of the twin that holds such an element gets what it asks for."""
    session = visit.signed_in()

    async def load() -> bool:
        return bool(await session._the_tab.page.evaluate(_LOAD, [kind, address]))

    return visit.patient.host.run(load, 20, "loading what a page names")


def led_to(visit: Visit, address: str) -> None:
    """A page of the twin that leads elsewhere. Raises PlaywrightError when there is no such place."""
    session = visit.signed_in()

    async def go() -> None:
        page = session._the_tab.page
        async with page.expect_event("requestfailed", timeout=15_000) as failed:
            await page.evaluate("address => { location.href = address }", address)
        raise PlaywrightError((await failed.value).failure or "")

    visit.patient.host.submit(go, 20).result(30)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "elsewhere.example", "[::1]"])
def test_no_page_leads_anywhere_else(visit: Visit, elsewhere: Elsewhere, host: str) -> None:
    for kind in ("img", "script"):
        assert not loaded(visit, kind, elsewhere.at(host, kind))
    with pytest.raises(PlaywrightError, match="ERR_NAME_NOT_RESOLVED"):
        led_to(visit, elsewhere.at(host, "page"))
    assert elsewhere.asked == []


def test_the_registry_s_own_host_is_reached_by_every_page(visit: Visit, elsewhere: Elsewhere) -> None:
    """The other side of the test above: that server does answer."""
    assert loaded(visit, "script", elsewhere.at("127.0.0.1", "script"))
    assert elsewhere.asked == ["/script"]


def test_a_host_that_the_profile_names_is_reached_too(visit: Visit, elsewhere: Elsewhere) -> None:
    profile, chromium = load_profile(), find_chromium(None)
    assert chromium is not None
    wider = profile.model_copy(update={"browser": profile.browser.model_copy(update={"other_hosts": ("localhost",)})})
    registry = SiteRegistry(base_url=visit.twin.base_url, profile=wider, chromium=chromium)
    try:
        assert loaded(Visit(visit.twin, registry, registry), "script", elsewhere.at("localhost", "script"))
    finally:
        registry.close()
    assert elsewhere.asked == ["/script"]


def test_the_registry_s_host_is_named_once_without_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registre.site.reach.getproxies", dict)
    rule = only("https://www.registrefoncier.gouv.qc.ca:443/Sirf/", ["*.Example.ca", "www.registrefoncier.gouv.qc.ca"])
    assert rule == (
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE www.registrefoncier.gouv.qc.ca , EXCLUDE *.example.ca"
    )


def test_a_proxy_of_the_environment_can_be_met(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://marie:word@proxy.example.com:3128")
    monkeypatch.setenv("http_proxy", "other.example.com:3128")
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1,.example.org")
    rule = only("http://127.0.0.1:8600/Sirf/", [])
    assert set(rule.split(" , ")[1:]) == {
        "EXCLUDE 127.0.0.1",
        "EXCLUDE proxy.example.com",
        "EXCLUDE other.example.com",
    }
