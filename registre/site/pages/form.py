"""A search form: opened afresh, filled field by field, read back.

Invariant: nothing found before a reload is used after it; what `fill` returns was read after the last field.
"""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Locator, Request
from playwright.async_api import TimeoutError as PlaywrightTimeout

from registre.document import DocumentRequest, Source
from registre.errors import BrowserFailed, DataError, ErrorKind, LayoutChanged, SessionExpired, SiteUnavailable
from registre.matching import Field, Match, Option, match
from registre.ports import FilledForm
from registre.site.pages.result import PageKind, Verdict
from registre.site.profile import FormProfile, Reload
from registre.site.tab import PageCut, Tab
from registre.site.translate import network_error
from registre.site.watch import FormWatch

_MAX_NAMED = 3

_READ_SELECT = r"""
(selector) => {
  const select = document.querySelector(selector);
  if (!select) return null;
  const option = (o) => [o.value, (o.textContent || '').replace(/\s+/g, ' ').trim()];
  return { options: [...select.options].map(option), index: select.selectedIndex };
}
"""
_READ_BACK = r"""
(ask) => {
  const chosen = (selector) => {
    const select = document.querySelector(selector);
    const option = select && select.options[select.selectedIndex];
    return option ? [option.value, (option.textContent || '').replace(/\s+/g, ' ').trim()] : null;
  };
  const input = document.querySelector(ask.number);
  return { chosen: ask.selects.map(chosen), number: input ? input.value : null };
}
"""
_CHOOSE = r"""
([selector, index, value]) => {
  const select = document.querySelector(selector);
  const option = select && select.options[index];
  if (!option || option.value !== value || !select.getClientRects().length) return false;
  if (select.matches(':disabled') || option.matches(':disabled')) return false;
  select.focus();
  option.selected = true;
  for (const kind of ['input', 'change']) select.dispatchEvent(new Event(kind, { bubbles: true, composed: true }));
  return true;
}
"""
_LEAVE_MARK = "() => { window.__beforeReload = true; }"
_IS_RELOADED = "() => !window.__beforeReload && document.readyState !== 'loading'"
_LET_TASKS_RUN = "() => new Promise((done) => setTimeout(() => requestAnimationFrame(() => setTimeout(done, 0)), 0))"
_OFFERS = r"""
([selector, blanks]) => {
  const select = document.querySelector(selector);
  const offers = (o) => /[\p{L}\p{N}]/u.test(o.textContent || '') && !blanks.includes(o.value);
  return !!select && [...select.options].some(offers);
}
"""


class _Mismatch(BrowserFailed):
    """The form read back is not the form filled."""


@dataclass(frozen=True, slots=True)
class Select:
    """A select as read: its options in order, and the one chosen (None in an empty list)."""

    options: tuple[Option, ...]
    chosen: Option | None


class SearchForm:
    """One source's form. `fill` opens it itself, so no choice of an earlier job can be in it."""

    def __init__(self, tab: Tab, source: Source, form: FormProfile, watch: FormWatch | None = None) -> None:
        self._tab = tab
        self._watch = watch or FormWatch()
        self._source = source
        self._form = form
        self._blanks = tab.profile.blank_values

    async def fill(self, request: DocumentRequest) -> FilledForm:
        """See RegistrySession.fill."""
        try:
            return await self._fill_once(request)
        except _Mismatch:  # a reload nobody announced ran over a choice; opening it again is free
            return await self._fill_once(request)

    async def _fill_once(self, request: DocumentRequest) -> FilledForm:
        await self.open()
        await self._watch.check(self._tab, self._source)  # a changed list must not end orders as if they were wrong
        intended = await self._choose_all(request)
        number = request.number_normalized
        typed = await self._number_field()
        await typed.fill(number)
        return await self._read_back(intended, number)

    async def open(self) -> None:
        """Open the form and prove it by its landmark."""
        verdict = await self._tab.open(self._form.path)
        self._prove(verdict)

    async def submit_button(self) -> Locator:
        return await self._tab.first(self._form.submit, "button that submits the form")

    async def rehearse(self) -> tuple[str, int]:
        """Choose the first circonscription of the open form, and see that its list and the field for the number come.

        What was chosen, and how many options of the dependent list follow. Free: nothing is submitted.
        """
        place = self._form.circonscription
        select = await self._must_read(place)
        offered = self.offered(select)
        if not offered:
            raise self._changed("The list of circonscriptions is empty.", place)
        await self.choose(place, offered[0], select, self._form.circonscription_reloads)
        followed = self._form.cadastre or self._form.acte_type
        options = (
            self.offered(await self.await_list(followed, "what depends on the circonscription")) if followed else []
        )
        await self._number_field()
        return offered[0].label, len(options)

    async def _number_field(self) -> Locator:
        typed = self._tab.page.locator(self._form.number)
        if not await typed.count():
            raise self._changed(f"The form of {self._source} has no field for the number.", self._form.number)
        return typed.first

    async def _choose_all(self, request: DocumentRequest) -> dict[str, Option | None]:
        """Choose every select in the form's order; the option each must hold afterwards, by selector."""
        raise NotImplementedError

    def _prove(self, verdict: Verdict) -> None:
        """The form, or an error that says what stands there instead. A note on a fresh form is no error of the order."""
        if verdict.kind is PageKind.LOGIN or verdict.kind is PageKind.IDENTITY_QUESTION:
            raise SessionExpired("The site sent us back to its login page.")
        if verdict.kind not in (PageKind.FORM, PageKind.FORM_ERROR):
            what = (
                f"without {self._form.landmark}" if verdict.kind is PageKind.UNKNOWN else f"but a {verdict.kind} page"
            )
            raise self._changed(f"Not the form of {self._source} opened, but a page {what}.", self._form.landmark)

    def _changed(self, message: str, landmark: str) -> LayoutChanged:
        return LayoutChanged(message, source=self._source, landmark=landmark)

    async def read(self, selector: str) -> Select | None:
        answer = await self._tab.page.evaluate(_READ_SELECT, selector)
        if answer is None:
            return None
        options = tuple(Option(value=value, label=label) for value, label in answer["options"])
        chosen = options[answer["index"]] if answer["index"] >= 0 else None
        return Select(options, chosen)

    async def _must_read(self, selector: str) -> Select:
        select = await self.read(selector)
        if select is None:
            raise self._changed(f"The form of {self._source} has no {selector}.", selector)
        return select

    def is_blank(self, option: Option | None) -> bool:
        return option is None or option.value in self._blanks or not any(c.isalnum() for c in option.label)

    def offered(self, select: Select) -> list[Option]:
        return [option for option in select.options if not self.is_blank(option)]

    def decide(self, text: str, select: Select, field: Field, name: str) -> Option:
        """The one option `text` means. DataError, naming the best three, when none surely is."""
        found = match(text, self.offered(select), field)
        if found.choice is None:
            raise DataError(ErrorKind.AMBIGUOUS_OPTION, refusal(name, text, found))
        return found.choice

    async def leave_blank(self, selector: str, select: Select, name: str) -> Option | None:
        """Make sure nothing is chosen; the blank option, or None in an empty list."""
        if self.is_blank(select.chosen):
            return select.chosen
        blank = next((option for option in select.options if self.is_blank(option)), None)
        if blank is None:
            labels = ", ".join(option.label for option in self.offered(select)[:_MAX_NAMED])
            raise DataError(
                ErrorKind.AMBIGUOUS_OPTION, f"The form wants a {name} and the order gives none; it offers: {labels}."
            )
        await self.choose(selector, blank, select, Reload.MAYBE)
        return blank

    async def choose(self, selector: str, option: Option, select: Select, reloads: Reload) -> None:
        """Choose it, and be on the page that follows from it. The option already chosen starts no navigation."""
        if select.chosen == option:
            return
        index = select.options.index(option)
        page = self._tab.page
        try:
            if reloads is Reload.ALWAYS:
                async with self._tab.waiting():
                    async with page.expect_navigation(wait_until="commit"):
                        await self._choose_and_leave(selector, index, option)
                    await self._tab.arrive()
            elif reloads is Reload.MAYBE:
                await self._choose_and_see(selector, index)
            else:
                await page.locator(selector).first.select_option(index=index)
        except PlaywrightTimeout as error:
            raise SiteUnavailable(f"The site did not answer the choice of '{option.label}' in time.") from error
        except PlaywrightError as error:
            if network_error(error) is None and not isinstance(error, PageCut):
                raise
            raise SiteUnavailable("The connection to the site was lost in the middle of a form.") from error
        if reloads is not Reload.NEVER:
            self._prove(await self._tab.look_at_free_page())

    async def _choose_and_leave(self, selector: str, index: int, option: Option) -> None:
        """Choose on a page about to be replaced: as `select_option` does, without its script, which costs 40 ms a page."""
        page = self._tab.page
        try:
            chosen = await page.evaluate(_CHOOSE, [selector, index, option.value])
        except PlaywrightTimeout:
            raise
        except PlaywrightError as error:
            if not _is_leaving(error):
                raise
            chosen = True
        if not chosen:  # not to be chosen yet: let Playwright wait until it can be
            await page.locator(selector).first.select_option(index=index)

    async def _choose_and_see(self, selector: str, index: int) -> None:
        """For a select that may or may not reload: if a navigation starts, be on its page; else stay."""
        page = self._tab.page
        started: list[str] = []

        def note(request: Request) -> None:
            if request.is_navigation_request() and request.frame == page.main_frame:
                started.append(request.url)

        await page.evaluate(_LEAVE_MARK)
        page.on("request", note)
        try:
            await page.locator(selector).first.select_option(index=index)
            try:
                await page.evaluate(_LET_TASKS_RUN)
            except PlaywrightTimeout:
                raise
            except PlaywrightError as error:
                if not _is_leaving(error):
                    raise
                started.append("")
            if started:
                await self._tab.unless_cut(page.wait_for_function(_IS_RELOADED, polling=50))
        finally:
            page.remove_listener("request", note)

    async def await_list(self, selector: str, name: str) -> Select:
        """The dependent list, once it offers something."""
        select = await self.read(selector)
        if select is not None and self.offered(select):
            return select  # as a rule; to wait within the page, Playwright compiles all its own script there
        try:
            await self._tab.page.wait_for_function(_OFFERS, arg=[selector, list(self._blanks)], polling=50)
        except PlaywrightTimeout as error:
            await self._must_read(selector)
            raise self._changed(f"The list of {name} stayed empty.", selector) from error
        return await self._must_read(selector)

    async def _read_back(self, intended: dict[str, Option | None], number: str) -> FilledForm:
        """Everything as the page has it now, compared with what was meant."""
        form = self._form
        selectors = [s for s in (form.circonscription, form.cadastre, form.designation, form.acte_type) if s]
        answer = await self._tab.page.evaluate(_READ_BACK, {"selects": selectors, "number": form.number})
        read: dict[str, Option | None] = {}
        for selector, found in zip(selectors, answer["chosen"], strict=True):
            read[selector] = Option(value=found[0], label=found[1]) if found else None
            if read[selector] != intended.get(selector):
                meant, got = _said(intended.get(selector)), _said(read[selector])
                raise _Mismatch(f"The form does not hold what was chosen: {meant} became {got}.")
        typed = answer["number"]
        if typed is None:
            raise self._changed(f"The form of {self._source} has no field for the number.", form.number)
        if typed != number:
            raise _Mismatch(f"The form holds the number '{typed}' where '{number}' was typed.")
        at = read.get
        return FilledForm(
            number=typed,
            circonscription=at(form.circonscription),
            cadastre=at(form.cadastre or ""),
            designation=at(form.designation or ""),
            acte_type=at(form.acte_type or ""),
        )


def _is_leaving(error: PlaywrightError) -> bool:
    """True when a page could not answer because another one takes its place."""
    return "context was destroyed" in str(error) or "navigat" in str(error)


def refusal(name: str, text: str, found: Match) -> str:
    """`The cadastre 'Chicoutimi' cannot be told; closest: …`, with at most three names."""
    labels = [candidate.option.label for candidate in found.candidates[:_MAX_NAMED]]
    closest = f"; the closest are: {', '.join(labels)}" if labels else "; nothing on the site's list is close"
    return f"The {name} '{text}' does not name one choice of the site's list{closest}."


def _said(option: Option | None) -> str:
    return f"'{option.label}' ({option.value})" if option else "nothing"
