"""What every browser of a fleet is given; made once, by the fleet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actors.messages import Ref
from actors.ticker import Ticker
from registre.extraction import Means
from registre.ledger import PurchaseId
from registre.ports import Fleet, Gates, Idleness, Registry


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Ports, the ticker, and whom a browser tells what; `on_secured` and `relay` wake the delivery."""

    registry: Registry
    means: Means
    fleet: Fleet
    gates: Gates
    idleness: Idleness
    ticker: Ticker
    on_secured: Callable[[PurchaseId], None]
    relay: Callable[[], None]
    supervisor: Ref
    dispatcher: Ref
    lease_keeper: Ref
