"""A registry account: who signs in, and with what.

Invariant: a password is shown by nothing: not by `repr`, a log, an event or an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
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


class SignInOutcome(StrEnum):
    """How a sign-in ended. REFUSED is the site's answer to the account; after UNREACHABLE nothing is known of it."""

    OK = "ok"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class SignInTest:
    """The last test of an account's sign-in: asked for by a person, begun by the host that claims it, ended by its outcome.

    `seconds` is what the sign-in took; None when none was made.
    """

    asked_at: datetime
    asked_by: str
    began_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: SignInOutcome | None = None
    message: str | None = None
    seconds: float | None = None


class WishKind(StrEnum):
    """LEAVE: let the account go now, as in a drain. TEST: let it go between two orders, and sign it in anew."""

    LEAVE = "leave"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks of an account that a host holds under this token."""

    account_id: AccountId
    token: int
    kind: WishKind


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
    test: SignInTest | None = None


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A secret as it is stored, of an account or a webhook: plain, or sealed (`registre.vault`), or neither."""

    kind: str
    id: str
    name: str
    plain: str | None = field(repr=False)
    sealed: str | None = field(repr=False)
