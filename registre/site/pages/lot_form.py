"""The forms of the index des immeubles and of the plan cadastral.

Invariant: circonscription before cadastre before désignation, because each reload empties what depends on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from registre.document import DocumentRequest, fold
from registre.errors import DataError, ErrorKind
from registre.matching import Field, Option, match
from registre.site.pages.form import SearchForm, Select
from registre.site.profile import Reload

_HAS_UNKNOWN_SELECT = "(known) => [...document.querySelectorAll('select')].some((select) => !select.matches(known))"


class LotForm(SearchForm):
    """`selCircnFoncr` → reload → `selCadst` → reload → `selDesgnSecnd` (may be absent) → the lot."""

    async def _choose_all(self, request: DocumentRequest) -> dict[str, Option | None]:
        form = self._form
        intended = {form.circonscription: await self._circonscription(request)}
        if form.cadastre:
            intended[form.cadastre] = await self._cadastre(request, form.cadastre)
        if form.designation:
            intended[form.designation] = await self._designation(request, form.designation)
        return intended

    async def _circonscription(self, request: DocumentRequest) -> Option | None:
        selector = self._form.circonscription
        select = await self._must_read(selector)
        if not request.circonscription.strip():
            return await self.leave_blank(selector, select, "circonscription")
        option = self.decide(request.circonscription, select, Field.CIRCONSCRIPTION, "circonscription")
        await self.choose(selector, option, select, self._form.circonscription_reloads)
        return option

    async def _cadastre(self, request: DocumentRequest, selector: str) -> Option | None:
        if request.circonscription.strip():
            select = await self.await_list(selector, "cadastres")
        else:
            select = await self._must_read(selector)
        if request.is_renovated_lot:
            option = self._renovated(request, select)
            if option is None:
                return await self.leave_blank(selector, select, "cadastre")
        else:
            option = self.decide(request.cadastre, select, Field.CADASTRE, "cadastre")
        await self.choose(selector, option, select, self._form.cadastre_reloads)
        return option

    def _renovated(self, request: DocumentRequest, select: Select) -> Option | None:
        """The one cadastre of lots of 1 000 000 and above, if offered; an order that surely names another is refused."""
        offered = self.offered(select)
        only = self._known_renovated(offered)
        if only is None and offered:
            raise self._changed(
                "The list of cadastres no longer offers the Cadastre du Québec.", self._form.cadastre or ""
            )
        named = match(request.cadastre, offered, Field.CADASTRE).choice if request.cadastre.strip() else None
        if named is not None and named != only:
            raise DataError(
                ErrorKind.AMBIGUOUS_OPTION,
                f"The lot {request.number} is of the Cadastre du Québec, and the order names '{named.label}'.",
            )
        return only

    def _known_renovated(self, offered: Sequence[Option]) -> Option | None:
        """By its code; by one of its names, word for word, when no option has that code."""
        profile = self._tab.profile
        names = {fold(name) for name in profile.renovated_cadastre_names}
        by_code = (option for option in offered if option.value == profile.renovated_cadastre)
        by_name = (option for option in offered if fold(option.label) in names)
        return next(by_code, None) or next(by_name, None)

    async def _designation(self, request: DocumentRequest, selector: str) -> Option | None:
        select = await self.read(selector)
        wanted = request.designation.strip()
        if select is None or not self.offered(select):
            if wanted and select is None and await self._has_unknown_select():
                raise self._changed(f"The form of {self._source} has another select than {selector}.", selector)
            if wanted:
                raise DataError(
                    ErrorKind.AMBIGUOUS_OPTION,
                    f"The désignation secondaire '{wanted}' cannot be chosen: the site offers none for this cadastre.",
                )
            return select.chosen if select else None
        if not wanted:
            return await self.leave_blank(selector, select, "désignation secondaire")
        option = self.decide(wanted, select, Field.DESIGNATION, "désignation secondaire")
        await self.choose(selector, option, select, Reload.MAYBE)
        return option

    async def _has_unknown_select(self) -> bool:
        """True when the page has a select the profile does not name: the one that is missing may have another name."""
        form = self._form
        known = [s for s in (form.circonscription, form.cadastre, form.designation) if s]
        return bool(await self._tab.page.evaluate(_HAS_UNKNOWN_SELECT, ", ".join(known)))
