"""Walks the free part of the site as the profile describes it, and says of each thing whether it is there.

Invariant: nothing is submitted, so nothing can be bought; an account is held under its lease as a worker holds it, one password
is tried once, and whatever happens the session is closed before the account is let go.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from registre.account import AccountId, Credentials, Seat
from registre.document import Source
from registre.errors import AccountError, LayoutChanged, SiteError, SiteUnavailable
from registre.forms import FormContract
from registre.ports import AccountBook, FormBook
from registre.site.pages.contract import contract_in, look_at_form
from registre.site.pages.form import SearchForm
from registre.site.pages.result import PageKind
from registre.site.profile import SiteProfile
from registre.site.registry import SiteRegistry
from registre.site.session import SiteSession
from registre.site.tab import Tab

T = TypeVar("T")

STEPS = 2 + 4 * len(Source)
"""How many findings a whole check has."""

_HOLD = timedelta(minutes=15)
"""Longer than a check can take, budgets used up and all; a check that was killed leaves its account held for so long."""


class Outcome(StrEnum):
    """CHANGED: the form is not the accepted one. FAILED: it is not as the profile says, or could not be looked at."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `mend` says what to do, '' when nothing."""

    what: str
    outcome: Outcome
    says: str
    mend: str = ""


class SiteCheck:
    """One check. `run` blocks its thread, for a minute or so on a slow site."""

    def __init__(
        self, registry: SiteRegistry, profile: SiteProfile, accounts: AccountBook, forms: FormBook, owner: str
    ) -> None:
        """`owner` must be no worker's host: the start of that worker would end our hold on the account."""
        self._registry = registry
        self._profile = profile
        self._accounts = accounts
        self._forms = forms
        self._owner = owner

    def run(self, *, sign_in: bool = True) -> Generator[Finding, None, None]:
        """Each finding as soon as it is known. To be read to its end, or closed."""
        login = self._login_page()
        yield login
        if not sign_in or login.outcome is Outcome.FAILED:
            return
        claimed = self._accounts.claim(self._owner, 1, _HOLD)
        if not claimed:
            if self._accounts.all():
                yield _failed("sign-in", "no account is free", "stop a worker for a moment, or use --no-sign-in")
            else:
                yield _failed("sign-in", "there is no account", "add one: registre accounts add; or use --no-sign-in")
            return
        [(seat, credentials)] = claimed
        with ExitStack() as stack:
            stack.callback(self._accounts.release, seat)
            session = self._registry.open_session(credentials, lambda _: None)
            stack.callback(session.close)
            signed_in = self._sign_in(session, seat)
            yield signed_in
            if signed_in.outcome is Outcome.OK:
                stack.callback(session.sign_out)
                for source in Source:
                    yield from self._form(session, source)

    def _login_page(self) -> Finding:
        session = self._registry.open_session(Credentials(AccountId(""), "", ""), lambda _: None)

        async def look(tab: Tab) -> None:
            login = tab.profile.login
            verdict = await tab.open(login.entry_path if login.through_entry else login.path)
            if login.through_entry:
                await tab.first([login.entry_link], "way from the entry to the login")
                verdict = await tab.open(login.path)
            if verdict.kind is PageKind.IDENTITY_QUESTION:
                raise LayoutChanged("The login page asks an identity question of everybody.", landmark=login.username)
            await tab.first([login.username], "field for the user code")
            await tab.first([login.password], "field for the password")
            await tab.first(login.submit, "button that signs in")

        try:
            return self._look("login page", None, lambda: self._visit(session, look), lambda _: "its fields are there")
        finally:
            session.close()

    def _sign_in(self, session: SiteSession, seat: Seat) -> Finding:
        try:
            session.sign_in()
        except AccountError as error:
            self._accounts.set_aside(seat, error.message, None)
            return _failed(
                "sign-in", f"{seat.username}: {error}", "the account is set aside; see `registre accounts list`"
            )
        except SiteError as error:
            return _failed("sign-in", str(error), self._mend(error, None))
        return Finding("sign-in", Outcome.OK, f"{seat.username} is signed in")

    def _form(self, session: SiteSession, source: Source) -> Iterator[Finding]:
        form = self._profile.forms[source]

        async def open_it(tab: Tab) -> str | None:
            await SearchForm(tab, source, form).open()
            return await look_at_form(tab, form.landmark)

        opened: list[FormContract] = []

        def keep(text: str | None) -> str:
            if text is None:
                raise LayoutChanged(f"The page has no {form.landmark}.", source=source, landmark=form.landmark)
            opened.append(contract_in(text))
            return f"it opens, with {form.landmark}"

        first = self._look(f"{source}: form", source, lambda: self._visit(session, open_it), keep)
        yield first
        if not opened:
            return
        yield self._compare(source, opened[0])
        yield self._look(
            f"{source}: lists",
            source,
            lambda: self._visit(session, lambda tab: SearchForm(tab, source, form).rehearse()),
            lambda chosen: f"{chosen[0]} brings {chosen[1]} options; the field for the number is there",
        )
        yield self._look(
            f"{source}: button",
            source,
            lambda: self._visit(session, lambda tab: SearchForm(tab, source, form).submit_button()),
            lambda _: "the button that submits is there; it was not pressed",
        )

    def _compare(self, source: Source, contract: FormContract) -> Finding:
        """Told to the book as any session tells it: what drifted can be accepted after the check."""
        what = f"{source}: contract"
        is_first = all(form.source is not source for form in self._forms.known())
        changed = self._forms.observe(source, contract)
        if not changed:
            says = "seen for the first time, and accepted as it is" if is_first else "as accepted"
            return Finding(what, Outcome.OK, f"{says} ({len(contract.fields)} fields)")
        mend = (
            f"{source} is frozen; look at the form, mend the profile if need be, then `registre site accept {source}`"
        )
        return Finding(what, Outcome.CHANGED, changed, mend)

    def _look(self, what: str, source: Source | None, work: Callable[[], T], says: Callable[[T], str]) -> Finding:
        try:
            return Finding(what, Outcome.OK, says(work()))
        except SiteError as error:
            return _failed(what, str(error), self._mend(error, source))

    def _visit(self, session: SiteSession, work: Callable[[Tab], Coroutine[Any, Any, T]]) -> T:
        return session.visit(work, self._profile.budgets.fill, "checking the site")

    def _mend(self, error: SiteError, source: Source | None) -> str:
        if isinstance(error, SiteUnavailable):
            return "try again later"
        landmark = error.landmark if isinstance(error, LayoutChanged) else None
        parts = [(f"forms.{s}", form) for s, form in self._profile.forms.items() if source in (s, None)]
        for where, part in (("login", self._profile.login), *parts):
            for name, value in part.model_dump().items():
                if landmark is not None and (value == landmark or (isinstance(value, tuple) and landmark in value)):
                    return f"mend {where}.{name} in the site profile: {landmark} finds nothing"
        return "look at the page, and mend the site profile if it has changed"


def _failed(what: str, says: str, mend: str) -> Finding:
    return Finding(what, Outcome.FAILED, says.rstrip("."), mend)
