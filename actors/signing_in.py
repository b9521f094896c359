"""Signs a browser's account in, on the browser's thread.

Invariant: one call tries the password once. How it ended is told to whom it concerns before the browser hears of it: the breaker,
the book of the site's words, and the person who asked for a test.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress

from actors.messages import Opened
from actors.surroundings import Surroundings
from registre.account import Credentials, Seat, SignInOutcome
from registre.errors import Aborted, AccountError, BrowserFailed, RegistreError, SiteUnavailable
from registre.hearing import keep_words
from registre.job import JobId
from registre.log import about
from registre.ports import RegistrySession, Step

log = logging.getLogger(__name__)


class SigningIn:
    """One account's sign-ins, one after the other. `run` is the thread's; `interrupt` may come from any."""

    def __init__(
        self,
        around: Surroundings,
        seat: Seat,
        credentials: Credentials,
        note_step: Callable[[Step], None],
        is_unwanted: Callable[[], bool],
    ) -> None:
        """`is_unwanted` is asked just before the password would be typed."""
        self._around = around
        self._seat = seat
        self._credentials = credentials
        self._note_step = note_step
        self._is_unwanted = is_unwanted
        self._opening: RegistrySession | None = None
        around.job_lines.hide(credentials.password)
        self.refused: str | None = None
        """Why the account is to be set aside. One refused password is enough: a second try could lock it for its owner."""

    @property
    def opening(self) -> RegistrySession | None:
        """The session of the last `run`, until it is `taken`."""
        return self._opening

    def taken(self) -> None:
        """Whoever asked has it now, and closes it."""
        self._opening = None

    def interrupt(self) -> None:
        if self._opening is not None:
            self._opening.interrupt()

    def run(self, job_id: JobId | None = None) -> Opened:
        """Never raises; a session that is not signed in is closed. `job_id` is the order it is for, if any."""
        with about(job_id):
            began = time.monotonic()
            opened = self._sign_in()
            self._tell(opened.error, time.monotonic() - began)
        return opened

    def _sign_in(self) -> Opened:
        session = None
        try:
            session = self._opening = self._around.registry.open_session(self._credentials, self._note_step)
            if self._is_unwanted():
                raise Aborted("Stopped while signing in.")
            session.sign_in()
        except RegistreError as error:
            if session is not None:
                session.close()
            return Opened(None, error)
        except Exception:
            log.exception("%s: unexpected error while signing in", self._seat.worker)
            if session is not None:
                session.close()
            return Opened(None, BrowserFailed("An unexpected error stopped the sign-in."))
        return Opened(session, None)

    def _tell(self, error: RegistreError | None, seconds: float) -> None:
        outcome = SignInOutcome.OK if error is None else SignInOutcome.UNREACHABLE
        if error is None:
            self._around.site_answered()
        elif isinstance(error, SiteUnavailable):
            self._around.site_away(error.message)
        elif isinstance(error, AccountError):
            outcome, self.refused = SignInOutcome.REFUSED, error.message
        if error is not None:
            keep_words(self._around.means.sentences, error)
        if isinstance(error, Aborted):
            return  # nothing was tried: a test is made by the next sign-in
        with suppress(RegistreError):
            self._around.accounts.note_sign_in(self._seat, outcome, error.message if error else "", seconds)
