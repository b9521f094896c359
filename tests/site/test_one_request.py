"""A billable page is asked for once, whatever becomes of its connection.

site.md 6: reaching the viewer is billed · 10: a document bought twice.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from registre.errors import BrowserFailed
from registre.site.chromium import find_chromium
from registre.site.profile import load_profile
from registre.site.registry import SiteRegistry
from registre.twin import paths
from tests.site.visit import INDEX, PLAN_OF_A_LIST, Visit


def test_a_viewer_whose_connection_is_reset_is_asked_for_once(visit: Visit) -> None:
    session = visit.signed_in()
    session.fill(INDEX)
    before, asked = len(visit.bill), visit.twin.twin.traffic.paths[paths.VIEWER]
    visit.twin.faults.set("reset", {"count": 1, "page": "viewer"})
    with pytest.raises(BrowserFailed, match="lost after the submission"):
        session.submit(INDEX)
    assert [line.hit for line in visit.bill[before:]] == [1]
    assert visit.twin.twin.traffic.paths[paths.VIEWER] == asked + 1


@pytest.mark.parametrize("place", ["search", "confirm"])
def test_a_click_whose_connection_is_reset_is_posted_once(place: str, visit: Visit) -> None:
    session = visit.signed_in()
    session.fill(PLAN_OF_A_LIST)
    path = {"search": paths.FORMS[PLAN_OF_A_LIST.source], "confirm": paths.CONFIRMATION}[place]
    asked = visit.twin.twin.traffic.paths[path]
    visit.twin.faults.set("reset", {"count": 1, "page": place})
    with pytest.raises(BrowserFailed, match="lost after the submission"):
        session.submit(PLAN_OF_A_LIST)
    # the confirmation page itself is had at the same address before
    assert visit.twin.twin.traffic.paths[path] == asked + (2 if place == "confirm" else 1)


def test_a_browser_that_keeps_its_connections_is_billed_twice_and_the_bill_shows_it(visit: Visit) -> None:
    """Why the profile asks for each connection to be closed: Chromium repeats the request, and all seems well."""
    profile, chromium = load_profile(), find_chromium(None)
    assert chromium is not None
    keeping = profile.model_copy(update={"browser": profile.browser.model_copy(update={"headers": {}})})
    registry = SiteRegistry(base_url=visit.twin.base_url, profile=keeping, chromium=chromium)
    session = Visit(visit.twin, registry, registry).signed_in()
    session.fill(INDEX)
    before, refetches = len(visit.bill), visit.twin.twin.traffic.refetches
    visit.twin.faults.set("reset", {"count": 1, "page": "viewer"})
    session.submit(INDEX)
    registry.close()
    first, second = visit.bill[before:]
    assert first.request_id == second.request_id
    assert (first.hit, second.hit) == (1, 2)
    assert visit.twin.twin.traffic.refetches == refetches + 1


def test_a_site_that_keeps_connections_against_our_wish_is_reported_before_money(
    visit: Visit, caplog: pytest.LogCaptureFixture
) -> None:
    session = visit.signed_in()
    session.fill(INDEX)
    assert "billed twice" not in caplog.text
    visit.twin.faults.set("keep_connections")
    session.fill(INDEX)
    assert "billed twice" in caplog.text


def test_a_session_never_uses_a_connection_twice(visit: Visit, tmp_path: Path) -> None:
    session = visit.signed_in()
    visit.obtain(session, INDEX, tmp_path / "index.pdf")
    assert not session._the_tab.stays_connected
