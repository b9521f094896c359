"""The login page, and what the site answers to it.

Invariant: a password is typed once a sign-in; whatever comes, it is never tried a second time here.
"""

from __future__ import annotations

from playwright.async_api import Error as PlaywrightError

from registre.account import Credentials
from registre.document import Source, fold
from registre.errors import AccountError, ErrorKind, LayoutChanged, SiteUnavailable
from registre.site.pages.result import PageKind, Verdict
from registre.site.tab import Tab
from registre.site.watch import FormWatch


class LoginPage:
    def __init__(self, tab: Tab, watch: FormWatch | None = None) -> None:
        self._tab = tab
        self._watch = watch or FormWatch()
        self._profile = tab.profile.login

    async def sign_in(self, credentials: Credentials) -> None:
        """Sign in and prove it by the index form. AccountError when refused, LayoutChanged without the proof."""
        await self._open()
        username = await self._tab.first([self._profile.username], "field for the user code")
        password = await self._tab.first([self._profile.password], "field for the password")
        button = await self._tab.first(self._profile.submit, "button that signs in")
        await username.fill(credentials.username)
        await password.fill(credentials.password)
        try:
            await self._tab.press(button, self._tab.profile.budgets.operation)
        except PlaywrightError:
            raise SiteUnavailable(
                "The site did not answer the sign-in."
            ) from None  # the call log may hold what was typed
        verdict = await self._tab.look_at_free_page()
        self._judge(verdict)
        await self._prove(verdict)

    async def is_signed_in(self, source: Source = Source.INDEX) -> bool:
        """True when the form of `source` opens as things are; no password is typed."""
        verdict = await self._tab.open(self._tab.profile.forms[source].path)
        if verdict.kind not in (PageKind.FORM, PageKind.FORM_ERROR):
            return False
        await self._watch.note(self._tab, source)
        return True

    async def _open(self) -> None:
        if self._profile.through_entry:
            await self._tab.open(self._profile.entry_path)
            link = await self._tab.first([self._profile.entry_link], "way from the entry to the login")
            address = await link.get_attribute("href")
            verdict = await self._tab.open(address or self._profile.path)
        else:
            verdict = await self._tab.open(self._profile.path)
        if verdict.kind is PageKind.IDENTITY_QUESTION:
            raise _asked(verdict.sentence)

    def _judge(self, verdict: Verdict) -> None:
        sentence = verdict.sentence
        if verdict.kind is PageKind.IDENTITY_QUESTION:
            raise _asked(sentence)
        if verdict.kind is PageKind.LOGIN:
            raise self._refused(sentence)

    def _refused(self, sentence: str) -> AccountError:
        locked = any(fold(mark) in fold(sentence) for mark in self._profile.locked_texts)
        kind = ErrorKind.ACCOUNT_LOCKED if locked else ErrorKind.LOGIN_REFUSED
        return AccountError(kind, sentence or "The site shows its login page again, and no reason.", said=sentence)

    async def _prove(self, answer: Verdict) -> None:
        """A form opens, if need be after a notice was read. `answer` may be a notice, or a refusal.

        The index form is the proof; another one will do when that alone was changed: it must not stop the others.
        """
        if await self.is_signed_in():
            return
        for selector in self._profile.notice_continue:
            button = self._tab.page.locator(selector)
            if await button.count():
                await self._tab.press(button.first, self._tab.profile.budgets.operation)
                break
        if not (await self.is_signed_in() or await self._another_form_opens()):
            if answer.kind is PageKind.FORM_ERROR:
                raise self._refused(answer.sentence)
            form = self._tab.profile.forms[Source.INDEX]
            raise LayoutChanged("Signed in, but the index form did not open.", landmark=form.landmark)

    async def _another_form_opens(self) -> bool:
        for source in Source:
            if source is not Source.INDEX and await self.is_signed_in(source):
                return True
        return False


def _asked(question: str) -> AccountError:
    return AccountError(ErrorKind.IDENTITY_QUESTION, f"The site asks an identity question: {question}", said=question)
