"""Bad manners before anything is submitted: each is the site's or the session's, costs no attempt and no money.

site.md 2: a session without its login page, proof of login · 3, rule 1: a reload that does not come · 5xx, maintenance and
closed hours of 4 and 6 · 10: the idle session that died and failed the next job.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from registre.errors import ErrorKind, SessionExpired, SiteUnavailable
from tests.site.visit import INDEX, Visit

LOST = "connection to the site was lost|did not answer the sign-in|cannot be reached"
SAYS = {
    "status_5xx": "answered 503",
    "maintenance": "est présentement en maintenance",
    "closed": "en dehors des heures de service",
    "hang": "did not answer",
    "reset": LOST,
    "cut": LOST,
}


@pytest.mark.parametrize("place", ["login", "sign_in"])
@pytest.mark.parametrize("fault", SAYS)
def test_a_sign_in_the_site_fails_is_the_sites_failure_and_not_the_accounts(
    fault: str, place: str, visit: Visit
) -> None:
    session = visit.open(hasty=fault == "hang")
    visit.twin.faults.set(fault, {"count": 1, "page": place})
    error = visit.refusal(session.sign_in)
    assert isinstance(error, SiteUnavailable)
    assert error.kind is ErrorKind.SITE_UNAVAILABLE
    assert (SAYS[fault] in error.said) == (fault in ("maintenance", "closed"))
    with pytest.raises(SiteUnavailable, match=SAYS[fault]):
        raise error
    visit.opens_anew()


@pytest.mark.parametrize("place", ["form", "reload"])
@pytest.mark.parametrize("fault", SAYS)
def test_a_form_the_site_fails_is_the_sites_failure_and_free(fault: str, place: str, visit: Visit) -> None:
    session = visit.signed_in(hasty=fault == "hang")
    before = len(visit.bill)
    visit.twin.faults.set(fault, {"count": 1, "page": place})
    with pytest.raises(SiteUnavailable, match=SAYS[fault]):
        session.fill(INDEX)
    assert len(visit.bill) == before
    visit.opens_anew()


@pytest.mark.parametrize("place", ["form", "reload"])
def test_a_session_that_expired_before_the_submission_is_told_and_free(
    place: str, visit: Visit, tmp_path: Path
) -> None:
    session = visit.signed_in()
    visit.twin.faults.set("expire_session", {"count": 1, "page": place})
    with pytest.raises(SessionExpired, match="back to its login page"):
        session.fill(INDEX)
    visit.proves_sound(tmp_path)


def test_a_burst_of_5xx_fails_as_many_forms_and_then_passes(visit: Visit, tmp_path: Path) -> None:
    visit.twin.faults.set("status_5xx", {"count": 3, "page": "form"})
    for _ in range(3):
        with pytest.raises(SiteUnavailable, match="503"):
            visit.open().sign_in()
    visit.proves_sound(tmp_path)


def test_a_fault_of_one_account_spares_the_others(visit: Visit) -> None:
    sessions = [visit.signed_in(0), visit.signed_in(1)]
    visit.twin.faults.set("maintenance", {"account": "99T0001"})
    with pytest.raises(SiteUnavailable):
        sessions[0].fill(INDEX)
    sessions[1].fill(INDEX)


@pytest.mark.parametrize("place", ["reload", "search", "viewer", "save"])
def test_a_slow_page_is_waited_for(place: str, visit: Visit, target: Path) -> None:
    session = visit.signed_in()
    visit.twin.faults.set("latency_ms", {"value": 600, "page": place})
    visit.obtain(session, INDEX, target)
