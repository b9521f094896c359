"""Sessions of a fleet that idle: what the ticker tells them, what they say of themselves."""

from __future__ import annotations

from actors.messages import BrowserStatus
from tests.actors.host import Site, look_after, status_of
from tests.fakes import FakeRegistry
from tests.waiting import until

NEAR = 970.0
"""More than four fifths of the 20 minutes that the fake's profile assumes."""


def look(site: Site) -> None:
    """What the ticker tells each idle browser from time to time."""
    for browser in site.browsers():
        look_after(browser)


def status(site: Site) -> BrowserStatus:
    (browser,) = site.browsers()
    return status_of(browser)


def idle_until_signed_out(site: Site, registry: FakeRegistry, sessions: int = 1) -> None:
    site.until_idle(sessions)
    registry.pass_time(NEAR)
    look(site)
    until(lambda: site.states() == ["signed out"] * sessions, "nobody signed out")
