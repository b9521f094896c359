"""The port `Registry`: opens sessions on the site and owns the browsers behind them.

Invariant: one account's cookies live in memory only, and are given to that account's next session only.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from playwright.async_api import StorageState

from registre.account import AccountId, Credentials
from registre.errors import RegistreError
from registre.evidence import MAX_BYTES
from registre.ports import FormBook, Step
from registre.site.host import BrowserHost, default_page_work
from registre.site.profile import DEFAULT_BASE_URL, SiteProfile
from registre.site.reach import only
from registre.site.session import SiteSession
from registre.site.watch import FormWatch


class SiteRegistry:
    """See `registre.ports.Registry`. Nothing is started before the first session is opened."""

    def __init__(
        self,
        *,
        base_url: str = DEFAULT_BASE_URL,
        profile: SiteProfile,
        chromium: Path,
        forms: FormBook | None = None,
        sessions_per_cell: int = 10,
        max_page_work: int | None = None,
        evidence_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`base_url` ends where the profile's paths begin; without `forms` a form that changed is told by what is missing of it
        alone; `max_page_work` bounds page work in flight (2.5 a core); `evidence_bytes` is what all evidence may weigh; idle
        times and ages are counted in the seconds of `clock`."""
        self._base_url = base_url if base_url.endswith("/") else base_url + "/"
        self._profile = profile
        self._watch = FormWatch(forms)
        self._evidence_bytes = evidence_bytes
        self._clock = clock
        self.host = BrowserHost(
            chromium=chromium,
            profile=profile,
            reach=only(self._base_url, profile.browser.other_hosts),
            sessions_per_cell=sessions_per_cell,
            max_page_work=max_page_work or default_page_work(),
        )
        self._guard = threading.Lock()
        self._cookies: dict[AccountId, StorageState] = {}
        self._sessions: set[SiteSession] = set()

    @property
    def assumed_idle_limit(self) -> timedelta:
        return timedelta(seconds=self._profile.session.idle_limit)

    def open_session(self, credentials: Credentials, on_step: Callable[[Step], None]) -> SiteSession:
        """See Registry.open_session. The account's former session, if it still lives on the site, is taken up again."""
        account = credentials.account_id

        def remember(state: StorageState | None) -> None:
            with self._guard:
                if state is None:
                    self._cookies.pop(account, None)
                else:
                    self._cookies[account] = state

        with self._guard:
            state = self._cookies.get(account)
        session = SiteSession(
            host=self.host,
            profile=self._profile,
            base_url=self._base_url,
            credentials=credentials,
            on_step=on_step,
            remember=remember,
            watch=self._watch,
            evidence_bytes=self._evidence_bytes,
            clock=self._clock,
        )
        budgets = self._profile.budgets
        patience = 2 * (budgets.start + budgets.open) + budgets.probe
        try:
            self.host.run(lambda: session.start(state), patience, "opening a session")
        except RegistreError:
            session.close()
            raise
        with self._guard:
            self._sessions = {s for s in self._sessions if not s.is_closed} | {session}
        return session

    def close(self) -> None:
        """See Registry.close."""
        with self._guard:
            sessions, self._sessions = self._sessions, set()
        for session in sessions:
            with contextlib.suppress(RegistreError):
                session.interrupt()
        self.host.close()
