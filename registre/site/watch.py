"""Compares each form that is opened with those that are accepted, before anything is chosen in it.

Invariant: a form the database does not know as accepted is never filled; one it does know costs no round trip for an hour.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from registre.document import Source
from registre.errors import LayoutChanged, RegistreError
from registre.ports import FormBook
from registre.site.pages.contract import contract_in, look_at_form
from registre.site.tab import Tab

log = logging.getLogger(__name__)

_KNOWN_FOR_SECONDS = 3600.0
"""Then the database is asked again, which so learns that the form was still seen."""


class FormWatch:
    """One for all sessions of a process; touched on the loop only. Without a book it watches nothing."""

    def __init__(self, book: FormBook | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._book = book
        self._clock = clock
        self._known: dict[tuple[Source, str], float] = {}
        """Until when; by the form's text, since its fingerprint costs as much as the look."""

    async def check(self, tab: Tab, source: Source) -> None:
        """LayoutChanged, its source frozen for every host, when the form shown is none of those accepted.

        DatabaseUnavailable when that cannot be told. A page without the form's landmark is left to whoever needs its fields.
        """
        if self._book is None:
            return
        text = await look_at_form(tab, tab.profile.forms[source].landmark)
        if text is None:
            return
        key, now = (source, text), self._clock()
        if self._known.get(key, now) > now:
            return
        tab.refuse_cut()  # half a form is none that changed
        # The store blocks: never on the loop, which every session shares.
        changed = await asyncio.to_thread(self._book.observe, source, contract_in(text))
        if changed:
            self._known.pop(key, None)
            log.error("the form of %s is not the accepted one: %s", source, changed)
            raise LayoutChanged(f"The form of {source} has changed: {changed}.", source=source)
        self._known[key] = now + _KNOWN_FOR_SECONDS

    async def note(self, tab: Tab, source: Source) -> None:
        """As `check`, for a form that only proves a sign-in: what changed freezes its source and stops nobody else."""
        try:
            await self.check(tab, source)
        except RegistreError as error:
            log.warning("seen while signing in: %s", error)
