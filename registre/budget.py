"""What documents cost and what may be spent: fees, budgets, and the report.

Invariant: a budget's use is the sum of the fees of its purchases that are not void, reserved when the intent is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from registre.gates import Scope


class Period(StrEnum):
    """What a budget's cap is for: a day or a month of the registry's own calendar (America/Toronto), or a batch as a whole."""

    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


BUDGETS = {
    Scope.SITE: (Period.DAY, Period.MONTH),
    Scope.ACCOUNT: (Period.DAY, Period.MONTH),
    Scope.CLIENT: (Period.DAY, Period.MONTH),
    Scope.BATCH: (Period.TOTAL,),
}
"""The budgets there are. The name is '' for the site; '*' is each account or client that has no budget of its own."""


@dataclass(frozen=True, slots=True)
class Fee:
    """The price of one document of `source` ('*': every source without a fee of its own) from a day on, in cents."""

    source: str
    valid_from: date
    cents: int


@dataclass(frozen=True, slots=True)
class Budget:
    """A cap, and what is used of it in the period that runs now; cents. For the name '*' the use is the largest of all."""

    scope: Scope
    name: str
    period: Period
    cap_cents: int
    used_cents: int


class CostBy(StrEnum):
    """How the report groups."""

    DAY = "day"
    ACCOUNT = "account"
    CLIENT = "client"
    SOURCE = "source"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of the report. `documents` were delivered or are secured; `ambiguous` may or may not have been billed; `reserved`
    are under way. Cents. `reused` orders were served by a document already owned, at no cost."""

    key: str
    documents: int
    documents_cents: int
    ambiguous: int
    ambiguous_cents: int
    reserved: int
    reserved_cents: int
    reused: int
