"""What one look takes from a page, in a real Chromium: pages in the old manner, with their traps."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from registre.account import AccountId, Credentials
from registre.errors import LayoutChanged
from registre.site.chromium import find_chromium
from registre.site.pages.result import PageKind, Verdict
from registre.site.pages.rows import ListRow, read_rows
from registre.site.profile import load_profile
from registre.site.registry import SiteRegistry
from registre.site.tab import Tab

T = TypeVar("T")
Look = Callable[[str, Callable[[Tab], Coroutine[Any, Any, T]]], T]

FORM = '<form><select id="selCircnFoncr" name="selCircnFoncr"><option value="NULL"> </option></select></form>'
SIMILAR = "<p>Nous vous proposons une liste de document(s) dont le num&eacute;ro est semblable&nbsp;:</p>"
ICON = '<img src="/Images/image_message.gif" alt="">'


@pytest.fixture(scope="module")
def look() -> Iterator[Look[Any]]:
    """Shows HTML to a tab that belongs to no site, and asks something of it."""
    chromium = find_chromium(None)
    assert chromium is not None, "these tests need a Chromium"
    registry = SiteRegistry(base_url="http://127.0.0.1:9/", profile=load_profile(), chromium=chromium)
    session = registry.open_session(Credentials(AccountId("nobody"), "99T0001", "x"), lambda _: None)

    def show(html: str, ask: Callable[[Tab], Coroutine[Any, Any, Any]]) -> Any:
        async def work() -> Any:
            tab = session._the_tab
            await tab.page.set_content(html)
            return await ask(tab)

        return registry.host.run(work, 10, "looking")

    yield show
    registry.close()


@pytest.mark.parametrize(
    ("html", "verdict"),
    [
        pytest.param(f'{FORM}<table><tr><td class="contValErr"></td></tr></table>', Verdict(PageKind.FORM), id="empty"),
        pytest.param(
            f'{FORM}<table><tr><td class="contValErr">&nbsp;\n </td></tr></table>', Verdict(PageKind.FORM), id="blank"
        ),
        pytest.param(
            f'{FORM}<table style="display:none"><tr><td class="contValErr">Erreur</td></tr></table>',
            Verdict(PageKind.FORM),
            id="hidden",
        ),
        pytest.param(
            f'{FORM}<table><tr><td class="contValErr"> Le lot&nbsp;2 \n est\tinactif. </td></tr></table>',
            Verdict(PageKind.FORM_ERROR, "Le lot 2 est inactif."),
            id="spaces",
        ),
        pytest.param(
            f'<table class="Cadre"><tr><td>{ICON}</td><td>Aucune information ne correspond.</td></tr></table>',
            Verdict(PageKind.FORM_ERROR, "Aucune information ne correspond."),
            id="boxed message",
        ),
        pytest.param(
            '<table class="Cadre"><tr><td>Aide</td></tr></table>', Verdict(PageKind.UNKNOWN, "Aide"), id="plain box"
        ),
        pytest.param(f"{SIMILAR}<table></table>", Verdict(PageKind.SIMILAR_LIST), id="similar list"),
        pytest.param(
            '<html><frameset rows="9,*"><frame name="menu"><frame name="page"></frameset></html>',
            Verdict(PageKind.VIEWER),
            id="frameset without a body",
        ),
        pytest.param(
            '<html><frameset rows="9,*"><frame name="haut"><frame name="bas"></frameset></html>',
            Verdict(PageKind.UNKNOWN),
            id="another frameset",
        ),
        pytest.param(
            '<form><input type="hidden" name="txtInAfichQuestIdentPersn" value="N">'
            '<input name="txtVaCodeUtils"><input type="password" name="txtMotPasse"></form>',
            Verdict(PageKind.LOGIN),
            id="login",
        ),
        pytest.param(
            '<p>Question</p><form><input type="hidden" name="txtInAfichQuestIdentPersn" value="O"></form>',
            Verdict(PageKind.IDENTITY_QUESTION, "Question"),
            id="identity question",
        ),
        pytest.param("<html></html>", Verdict(PageKind.UNKNOWN), id="nothing"),
    ],
)
def test_a_page_is_told_by_its_marks(html: str, verdict: Verdict, look: Look[Verdict]) -> None:
    assert look(html, Tab.look) == verdict


def test_the_rows_of_a_list_are_read_with_their_headers_and_their_paper_marks(
    look: Look[tuple[ListRow, ...]],
) -> None:
    html = """<input type="hidden" name="x"><table>
      <tr><th></th><th>Num&eacute;ro</th><th>Type</th></tr>
      <tr><td><input type="radio" name="o"></td><td> 12&nbsp;345 </td><td>Acte\n divers</td></tr>
      <tr><td></td><td>12 346</td><td>Acte <img src="/Images/bpd.gif"></td></tr>
      <tr><td>aide</td></tr></table>"""
    headers = ("", "Numéro", "Type")
    assert look(html, read_rows) == (
        ListRow(("", "12 345", "Acte divers"), headers, 0, paper_only=False),
        ListRow(("", "12 346", "Acte"), headers, None, paper_only=True),
    )


@pytest.mark.parametrize(
    "html",
    [
        '<p><input type="radio" name="o"> 12 345</p>',
        '<table><tr><td><input type="radio" name="o">1<input type="radio" name="o">2</td></tr></table>',
    ],
)
def test_choices_without_rows_of_their_own_are_not_guessed_at(html: str, look: Look[object]) -> None:
    with pytest.raises(LayoutChanged):
        look(html, read_rows)
