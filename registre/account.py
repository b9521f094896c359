"""A registry account: who signs in, and with what.

Invariant: a password is shown by nothing: not by `repr`, a log, an event or an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

AccountId = NewType("AccountId", str)
"""UUID of a `worker_accounts` row, as text."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one browser needs to sign in."""

    account_id: AccountId
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seat:
    """The right to hold the one session of an account: its lease, and the name its worker goes by."""

    account_id: AccountId
    token: int
    username: str
    worker: str


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account as people see it; `state` is 'free', 'signed in', 'set aside' or 'inactive'."""

    id: AccountId
    username: str
    state: str
    reason: str | None
    until: datetime | None
    lease_owner: str | None
    last_used: datetime | None
    failure_count: int
    sealed_with: str | None = None
    """Fingerprint of the key its password is sealed with; None while it is plain."""


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret as it is stored, of an account or a webhook: plain, or sealed (`registre.vault`), or neither."""

    kind: str
    id: str
    name: str
    plain: str | None = field(repr=False)
    sealed: str | None = field(repr=False)
