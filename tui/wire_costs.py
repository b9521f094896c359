"""What the API answers of money, as far as the dashboard shows it; the names are the API's own.

Invariant: amounts are whole cents.
"""

from __future__ import annotations

from datetime import date

from tui.wire import Wire


class Cost(Wire):
    key: str
    documents: int
    documents_cents: int
    ambiguous: int
    ambiguous_cents: int
    reserved: int
    reserved_cents: int
    reused: int


class Costs(Wire):
    first: date
    last: date
    lines: tuple[Cost, ...]


class Budget(Wire):
    scope: str
    name: str
    period: str
    cap_cents: int
    used_cents: int


class Budgets(Wire):
    budgets: tuple[Budget, ...]


class Fee(Wire):
    source: str
    valid_from: date
    cents: int


class Fees(Wire):
    fees: tuple[Fee, ...]
