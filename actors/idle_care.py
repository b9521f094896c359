"""What a browser's thread does for its idle session: learn from how idle times end, and keep the session or leave the site.

Invariant: it never raises, and whatever goes wrong ends the session: a job then signs in anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from registre.errors import DatabaseUnavailable, RegistreError, SessionExpired, SiteUnavailable
from registre.idleness import NEAR, Care, care
from registre.ports import Idleness, RegistrySession

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 60.0
"""At least so often the limit is read again: another host may have learnt a shorter one."""
SOONEST_SECONDS = 0.01


class IdleCare:
    """The care of one account's sessions, one after the other. `limit` is what was last known of the site's."""

    def __init__(
        self, idleness: Idleness, assumed: timedelta, username: str, worker: str, site_away: Callable[[str], None]
    ) -> None:
        """`site_away` is told why a page of the free part did not come; it must not raise."""
        self.limit = assumed
        self._idleness = idleness
        self._assumed = assumed
        self._username = username
        self._worker = worker
        self._site_away = site_away

    def next_look(self, session: RegistrySession) -> float:
        """In how many seconds `attend` is to be called."""
        left = NEAR * self.limit.total_seconds() - session.idle_seconds
        return min(LOOK_EVERY_SECONDS, max(SOONEST_SECONDS, left))

    def learn(self, session: RegistrySession) -> None:
        """Note how the last idle time of `session` ended, if that tells anything. A database that is away misses it."""
        end = session.idle_end()
        if end is None or not end.tells:
            return
        if not end.survived:
            log.warning("%s: the session had expired after %.0f idle seconds", self._worker, end.seconds)
        with suppress(RegistreError):
            self.limit = self._idleness.note(end, self._assumed)

    def attend(self, session: RegistrySession) -> bool:
        """Do what the idle session needs now. False: it is over and closed, and its account is not signed in any more."""
        try:
            return self._attend(session)
        except Exception:
            log.exception("%s: the idle session could not be looked after", self._worker)
            session.close()
            return False

    def _attend(self, session: RegistrySession) -> bool:
        due = True  # nobody knows, while the database is away: sessions are kept
        with suppress(DatabaseUnavailable):
            self.limit = self._idleness.limit(self._assumed)
            if care(session.idle_seconds, self.limit, work_due=False) is not Care.NOTHING:
                due = self._idleness.work_due(self._username, self.limit)
        match care(session.idle_seconds, self.limit, work_due=due):
            case Care.NOTHING:
                return True
            case Care.KEEP_ALIVE:
                return self._keep_alive(session)
            case Care.SIGN_OUT:
                left = session.sign_out()
                self.learn(session)
                session.close()
                log.info("%s: no order is due, %s", self._worker, "signed out" if left else "the session is given up")
                return False

    def _keep_alive(self, session: RegistrySession) -> bool:
        try:
            session.keep_alive()
        except RegistreError as error:
            log.info("%s: the session could not be kept alive: %s", self._worker, error)
            if isinstance(error, SiteUnavailable):
                self._site_away(error.message)
            if isinstance(error, SessionExpired):
                self.learn(session)
            session.close()
            return False
        self.learn(session)
        return True
