"""The forms of the index des immeubles and of the plan cadastral.

Invariant: circonscription before cadastre before désignation, because each reload empties what depends on it.
"""

from __future__ import annotations

from registre.document import DocumentRequest
from registre.errors import DataError, ErrorKind
from registre.matching import Field, Option, match
from registre.site.pages.form import SearchForm, Select
from registre.site.profile import Reload


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
        code = self._tab.profile.renovated_cadastre
        named = (
            match(request.cadastre, self.offered(select), Field.CADASTRE).choice if request.cadastre.strip() else None
        )
        if named is not None and named.value != code:
            raise DataError(
                ErrorKind.AMBIGUOUS_OPTION,
                f"The lot {request.number} is of the Cadastre du Québec, and the order names '{named.label}'.",
            )
        return next((option for option in self.offered(select) if option.value == code), None)

    async def _designation(self, request: DocumentRequest, selector: str) -> Option | None:
        select = await self.read(selector)
        wanted = request.designation.strip()
        if select is None or not self.offered(select):
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
