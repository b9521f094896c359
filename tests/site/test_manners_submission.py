"""Bad manners after the submission: only a page that proves the viewer did not answer may void the purchase.

site.md 4: form error, expired login, maintenance and 5xx after the submit, the unknown sentence · 6: reaching the viewer is
billed, so a hang, a lost connection or a bare 5xx leaves it open · 10: a definitive error undone, first radio bought blindly.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from registre.document import DocumentRequest
from registre.errors import BrowserFailed, DataError, ErrorKind, SessionExpired, SiteError, SiteUnavailable
from registre.site.chromium import find_chromium
from registre.site.profile import load_profile
from registre.site.registry import SiteRegistry
from registre.twin import paths
from registre.twin.config import TwinConfig
from registre.twin.faults import UNKNOWN_SENTENCE
from registre.twin.server import TwinServer
from tests.site.visit import ACTE_OF_A_LIST, INDEX, PLAN_OF_A_LIST, Visit
from tests.waiting import until

STEPS: dict[str, DocumentRequest] = {
    "search": INDEX,
    "choose_acte": ACTE_OF_A_LIST,
    "plan_list": PLAN_OF_A_LIST,
    "choose_plan": PLAN_OF_A_LIST,
    "confirmation": PLAN_OF_A_LIST,
    "confirm": PLAN_OF_A_LIST,
    "loading": INDEX,
    "viewer": INDEX,
}
LOST = "The connection to the site was lost after the submission."
ENDS: dict[str, tuple[type[SiteError], str]] = {
    "status_5xx": (BrowserFailed, "answered 503 after the submission"),
    "maintenance": (SiteUnavailable, "est présentement en maintenance"),
    "closed": (SiteUnavailable, "en dehors des heures de service"),
    "hang": (BrowserFailed, "did not answer in time after the submission|still loading after"),
    "reset": (BrowserFailed, LOST),
    "cut": (BrowserFailed, LOST),
    "expire_session": (SessionExpired, "back to its login page"),
}
PROVES_NOTHING_BOUGHT = (DataError, SessionExpired, SiteUnavailable)


@pytest.mark.parametrize("place", STEPS)
@pytest.mark.parametrize("fault", ENDS)
def test_a_bad_manner_after_the_submission_ends_in_its_own_error_and_the_bill_agrees(
    fault: str, place: str, visit: Visit, tmp_path: Path
) -> None:
    kind, words = ENDS[fault]
    if place == "viewer" and kind is not BrowserFailed:
        # the document was loading: nobody can tell what the site did meanwhile
        kind, words = BrowserFailed, "was loading, and the site showed a"
    request = STEPS[place]
    session = visit.signed_in(hasty=fault == "hang")
    session.fill(request)
    before = len(visit.bill)
    visit.twin.faults.set(fault, {"count": 1, "page": place})
    error = visit.refusal(lambda: session.submit(request))
    billed = visit.bill[before:]
    with pytest.raises(kind, match=words):
        raise error
    assert [line.hit for line in billed] == ([1] if place == "viewer" and fault in ("hang", "reset", "cut") else [])
    assert not (billed and isinstance(error, PROVES_NOTHING_BOUGHT)), "a billed document would be voided"
    if place == "viewer":
        visit.proves_sound(tmp_path)
    elif place == "search":
        visit.opens_anew()


def test_a_sentence_nobody_knows_ends_the_order_in_the_sites_words_for_review(visit: Visit, tmp_path: Path) -> None:
    session = visit.signed_in()
    for request in (INDEX, PLAN_OF_A_LIST, ACTE_OF_A_LIST):
        session.fill(request)
        visit.twin.faults.set("unknown_sentence", {"count": 1})
        with pytest.raises(DataError) as refusal:
            session.submit(request)
        assert str(refusal.value) == refusal.value.said == UNKNOWN_SENTENCE
        assert (refusal.value.kind, refusal.value.needs_review) == (ErrorKind.UNKNOWN_SENTENCE, True)
    visit.proves_sound(tmp_path)


def test_a_viewer_longer_in_coming_than_allowed_leaves_it_open(visit: Visit, tmp_path: Path) -> None:
    session = visit.signed_in(hasty=True)
    session.fill(INDEX)
    visit.twin.faults.set("loading_seconds", {"value": 150, "count": 1})
    with pytest.raises(BrowserFailed, match="still loading after 4 s"):
        session.submit(INDEX)
    visit.proves_sound(tmp_path)


class Clock:
    """The twin's own, moved by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_a_viewer_minutes_in_coming_is_waited_for(visit: Visit, target: Path) -> None:
    clock, chromium = Clock(), find_chromium(None)
    assert chromium is not None
    with TwinServer(TwinConfig(clock=clock, faults={"loading_seconds": 170})) as twin:
        registry = SiteRegistry(base_url=twin.base_url, profile=load_profile(), chromium=chromium)
        slow = Visit(twin, registry, registry)
        session = slow.signed_in()
        session.fill(INDEX)
        buying = Thread(target=lambda: session.submit(INDEX), daemon=True)
        buying.start()
        until(lambda: twin.twin.traffic.paths[paths.LOADING] > 2, "the loading page was never shown")
        assert slow.bill == []
        clock.now += timedelta(seconds=170)
        buying.join(30)
        session.save(target)
        registry.close()
    assert len(slow.bill) == 1
