"""The form of actes, radiations and avis d'adresse.

Invariant: its circonscription may or may not reload the page; both end in the same filled form.
"""

from __future__ import annotations

from registre.document import DocumentRequest
from registre.matching import Field, Option
from registre.site.pages.form import SearchForm
from registre.site.profile import Reload


class ActeForm(SearchForm):
    """`selCircnFoncr`, `selTypeDocmn`, the number."""

    async def _choose_all(self, request: DocumentRequest) -> dict[str, Option | None]:
        place = self._form.circonscription
        select = await self._must_read(place)
        option = self.decide(request.circonscription, select, Field.CIRCONSCRIPTION, "circonscription")
        await self.choose(place, option, select, self._form.circonscription_reloads)
        intended: dict[str, Option | None] = {place: option}
        if self._form.acte_type:
            types = await self.await_list(self._form.acte_type, "types of document")
            kind = self.decide(request.acte_type, types, Field.ACTE_TYPE, "type of acte")
            await self.choose(self._form.acte_type, kind, types, Reload.NEVER)
            intended[self._form.acte_type] = kind
        return intended
