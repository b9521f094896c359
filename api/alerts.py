"""What a person should know without looking.

Invariant: the database says what is alarming; here it is only asked again and again: where no worker lives, nobody else would.
"""

from __future__ import annotations

import logging
from datetime import datetime
from threading import Event, Thread
from typing import Annotated, Any

from litestar import Router, get
from litestar.params import QueryParameter

from api.desk import UsesStore, serves
from api.schemas import Wire
from registre import alerts
from registre.access import Role
from registre.alerts import AlertView
from registre.errors import RegistreError
from registre.language import Language
from registre.wiring import Store

log = logging.getLogger(__name__)

JUDGE_EVERY_SECONDS = 15.0


class Told(Wire):
    """In both languages."""

    fr: str
    en: str


class Alert(Wire):
    """One alert. `subject` names the source, account, host or budget; `closed_at` is null while it lasts."""

    id: int
    kind: str
    subject: str
    sentence: Told
    to_do: Told
    facts: dict[str, Any]
    opened_at: datetime
    closed_at: datetime | None


class Alerts(Wire):
    """The last opened first."""

    alerts: tuple[Alert, ...]


@get("/alerts", summary="What should be known without looking", **serves(Role.VIEWER))
def list_alerts(
    store: UsesStore,
    every: Annotated[bool, QueryParameter(name="all", description="Those that are over, too.")] = False,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> Alerts:
    found = store.alerts.all(open_only=not every, limit=limit)
    return Alerts(alerts=tuple(alert_of(view) for view in found))


def alert_of(view: AlertView) -> Alert:
    said = {language: alerts.sentence(view.kind, view.subject, view.facts, language) for language in Language}
    to_do = {language: alerts.advice(view.kind, view.subject, language) for language in Language}
    return Alert(
        id=view.id,
        kind=view.kind,
        subject=view.subject,
        sentence=Told(said[Language.FRENCH], said[Language.ENGLISH]),
        to_do=Told(to_do[Language.FRENCH], to_do[Language.ENGLISH]),
        facts=dict(view.facts),
        opened_at=view.opened_at,
        closed_at=view.closed_at,
    )


class Watch:
    """Judges alerts on a thread of its own, from `start` until `stop`."""

    def __init__(self, store: Store, every_seconds: float = JUDGE_EVERY_SECONDS) -> None:
        self._store = store
        self._every_seconds = every_seconds
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="registre-alerts", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns at once; `wait` waits."""
        self._stopped.set()

    def wait(self) -> None:
        self._thread.join(self._every_seconds)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._store.alerts.judge()
            except RegistreError as error:
                log.warning("alerts cannot be judged: %s", error)
            self._stopped.wait(self._every_seconds)


ROUTER = Router("/api", route_handlers=[list_alerts], tags=["monitoring"])
