"""Who may do what over HTTP: roles, and the keys that carry them.

Invariant: a key's text exists once, when it is made; what is kept is its prefix, which names it, and its SHA-256. A key holds
256 random bits, so that nothing slower than SHA-256 is needed to keep it from being guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Role(StrEnum):
    """Each may do what the ones before it may: look · order · steer · decide about money, accounts, rules and keys."""

    VIEWER = "viewer"
    REQUESTER = "requester"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


SESSION = timedelta(hours=12)
"""How long a person stays signed in to the dashboard: a working day."""

_KEY = re.compile(r"registre_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. `text` is shown once and kept nowhere."""

    prefix: str
    digest: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as people see it; `last_used_at` is exact to the minute."""

    prefix: str
    name: str
    role: Role
    author: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None


@dataclass(frozen=True, slots=True)
class KnownKey:
    """What is needed to judge a key that is presented."""

    prefix: str
    digest: str = field(repr=False)
    name: str
    role: Role
    is_revoked: bool

    def opens_for(self, text: str) -> bool:
        """Whether `text` is this key. Takes as long for a wrong one as for the right one."""
        return hmac.compare_digest(self.digest, _digest(text)) and not self.is_revoked


def make_key() -> NewKey:
    """A new key: `registre_<prefix>_<secret>`."""
    prefix = secrets.token_hex(4)
    text = f"registre_{prefix}_{secrets.token_urlsafe(32)}"
    return NewKey(prefix, _digest(text), text)


def prefix_of(text: str) -> str | None:
    """The prefix of what has the form of a key."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None


def make_session() -> str:
    """What a person's browser holds once they have signed in: 256 random bits. Kept is its digest."""
    return secrets.token_urlsafe(32)


def session_digest(session: str) -> str:
    return _digest(session)


def form_token(session: str) -> str:
    """What every form of this session carries, so that no page from elsewhere can send one: told to nobody else, and no way
    leads from it to the session."""
    return hmac.new(session.encode(), b"form", hashlib.sha256).hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
