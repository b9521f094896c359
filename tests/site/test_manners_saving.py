"""Bad manners of the open viewer: the document is billed, saving it again is free, and must work.

site.md 5: the save link and its variants, the download that must be expected before the click, the viewer without a link ·
10: no check that the file is a PDF.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from registre.errors import DocumentError, SessionExpired
from registre.inspection import inspect_pdf
from registre.site.session import SiteSession
from tests.site.visit import INDEX, Visit

PAGE = "The site answered with (a page|the page|its login page).* not with a document"
NO_LINK = "no link to save the document"


def in_viewer(visit: Visit, *, hasty: bool = True) -> SiteSession:
    session = visit.signed_in(hasty=hasty)
    session.fill(INDEX)
    return session


@pytest.mark.parametrize(
    ("fault", "order", "words"),
    [
        *((fault, {"count": 1, "page": "viewer_menu"}, NO_LINK) for fault in
          ("status_5xx", "maintenance", "closed", "hang", "reset", "cut")),
        *((fault, {"count": 1, "page": "save"}, PAGE) for fault in ("status_5xx", "maintenance", "closed", "reset")),
        ("hang", {"count": 1, "page": "save"}, "No document came within 2 s"),
        ("no_save_link", 1, NO_LINK),
        ("no_download", 1, "No document came within 2 s"),
        ("html_for_pdf", 1, PAGE),
    ],
)  # fmt: skip
def test_a_document_that_does_not_come_is_saved_by_the_next_try_and_billed_once(
    fault: str, order: object, words: str, visit: Visit, target: Path
) -> None:
    session = in_viewer(visit)
    before = len(visit.bill)
    visit.twin.faults.set(fault, order)
    session.submit(INDEX)
    with pytest.raises(DocumentError, match=words):
        session.save(target)
    assert not target.exists()
    session.save(target)
    inspect_pdf(target, INDEX)
    assert [line.hit for line in visit.bill[before:]] == [1]
    session.fill(INDEX)


@pytest.mark.parametrize("fault", ["truncate_pdf", "html_file", "other_document"])
def test_a_file_that_is_not_the_document_is_found_out_and_saved_again(fault: str, visit: Visit, target: Path) -> None:
    session = in_viewer(visit, hasty=False)
    before = len(visit.bill)
    visit.twin.faults.set(fault, 1)
    session.submit(INDEX)
    session.save(target)
    with pytest.raises(DocumentError):
        inspect_pdf(target, INDEX)
    session.save(target)
    inspect_pdf(target, INDEX)
    assert [line.hit for line in visit.bill[before:]] == [1]
    session.fill(INDEX)


def test_three_bad_downloads_of_three_kinds_in_a_row_do_not_spoil_the_fourth(visit: Visit, target: Path) -> None:
    session = in_viewer(visit)
    session.submit(INDEX)
    for fault in ("no_download", "html_for_pdf", "no_download"):
        visit.twin.faults.set(fault, 1)
        with pytest.raises(DocumentError):
            session.save(target)
    session.save(target)
    inspect_pdf(target, INDEX)


def test_a_file_cut_on_its_way_never_passes_for_the_document(visit: Visit, target: Path) -> None:
    session = in_viewer(visit)
    session.submit(INDEX)
    visit.twin.faults.set("cut", {"page": "save"})
    with pytest.raises(DocumentError, match="did not come whole"):
        session.save(target)
    assert not target.exists()
    visit.twin.faults.clear()
    session.save(target)
    inspect_pdf(target, INDEX)


@pytest.mark.parametrize("fault", ["status_5xx", "maintenance", "hang", "reset", "cut"])
def test_a_page_of_the_document_that_does_not_show_is_no_reason_not_to_save_it(
    fault: str, visit: Visit, target: Path
) -> None:
    session = in_viewer(visit)
    visit.twin.faults.set(fault, {"count": 1, "page": "viewer_page"})
    session.submit(INDEX)
    session.save(target)
    inspect_pdf(target, INDEX)


@pytest.mark.parametrize("place", ["viewer_menu", "viewer_page", "save"])
def test_a_session_that_ends_in_the_viewer_is_told_when_the_next_try_proves_it(
    place: str, visit: Visit, target: Path
) -> None:
    session = in_viewer(visit)
    before = len(visit.bill)
    visit.twin.faults.set("expire_session", {"count": 1, "page": place})
    session.submit(INDEX)
    with pytest.raises(DocumentError, match="login page"):
        session.save(target)
    with pytest.raises(SessionExpired, match="while the document was open"):
        session.save(target)
    assert [line.hit for line in visit.bill[before:]] == [1]
    visit.proves_sound(target.parent)


def test_nothing_is_saved_without_a_viewer(visit: Visit, target: Path) -> None:
    session = in_viewer(visit, hasty=False)
    with pytest.raises(DocumentError, match="no longer open"):
        session.save(target)
