"""What every browser of a fleet is given; made once, by the fleet."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from actors.job_lines import JobLines
from actors.messages import Ref
from actors.ticker import Ticker
from registre.errors import DatabaseUnavailable
from registre.extraction import Means
from registre.ledger import PurchaseId
from registre.ports import AccountBook, Fleet, Gates, Idleness, Registry
from registre.tracing import Traces


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Ports, the ticker, and whom a browser tells what; `on_secured` and `relay` wake the delivery."""

    registry: Registry
    means: Means
    fleet: Fleet
    accounts: AccountBook
    gates: Gates
    idleness: Idleness
    job_lines: JobLines
    ticker: Ticker
    on_secured: Callable[[PurchaseId], None]
    relay: Callable[[], None]
    supervisor: Ref
    dispatcher: Ref
    lease_keeper: Ref
    recorder: Ref
    traces: Traces

    def site_away(self, reason: str) -> None:
        """What a page of the free part shows of the site holds for every host; best effort, since the next order shows it too."""
        with suppress(DatabaseUnavailable):
            self.gates.site_away(reason)

    def site_answered(self) -> None:
        """As `site_away`."""
        with suppress(DatabaseUnavailable):
            self.gates.site_answered()
