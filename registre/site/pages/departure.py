"""The way out: the site's own link that ends a session.

Invariant: it goes through the free part only, and never presses anything but a link the profile names.
"""

from __future__ import annotations

from registre.document import Source, fold
from registre.errors import LayoutChanged, SessionExpired
from registre.site.pages.result import PageKind
from registre.site.tab import Tab


async def open_index_form(tab: Tab) -> None:
    """A free page of a living session, proved. SessionExpired when there is none; SiteUnavailable when the site is away."""
    form = tab.profile.forms[Source.INDEX]
    verdict = await tab.open(form.path)
    if verdict.kind in (PageKind.LOGIN, PageKind.IDENTITY_QUESTION):
        raise SessionExpired("The site sent us back to its login page.")
    if verdict.kind not in (PageKind.FORM, PageKind.FORM_ERROR):
        raise LayoutChanged("The index form did not open.", source=Source.INDEX, landmark=form.landmark)


async def sign_out(tab: Tab) -> bool:
    """From the index form by the site's link; True when the page that came says that the session is over.

    LayoutChanged when no such link is there; foreign errors pass.
    """
    link = await tab.first(tab.profile.session.sign_out, "link that signs out")
    await tab.press(link, tab.profile.budgets.operation)
    verdict = await tab.look_at_free_page()
    if verdict.kind is PageKind.LOGIN:
        return True
    said = fold((await tab.facts()).text)
    return any(fold(mark) in said for mark in tab.profile.session.signed_out_texts)
