"""Secrets at rest: sealed with the first of an operator's keys, opened with whichever of them sealed it.

Invariant: a sealed text names the key by its fingerprint, so that who has not that key knows it beforehand; neither a key nor
what was opened is shown by anything here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken

PREFIX = "sealed"


class Unreadable(Exception):
    """The key is not here, or the text was damaged; the message says which."""


class Vault:
    """Without keys it seals nothing and opens nothing. Thread-safe."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """The first key seals. ValueError, without the key, for one that is none."""
        self._keys: dict[str, Fernet] = {}
        for number, key in enumerate(keys, 1):
            try:
                self._keys.setdefault(_fingerprint(key), Fernet(key))
            except ValueError:
                raise ValueError(f"Key {number} is none that `registre accounts key` made") from None

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Fingerprints of what can be opened; the first is that of the key that seals."""
        return tuple(self._keys)

    @property
    def can_seal(self) -> bool:
        return bool(self._keys)

    def seal(self, text: str) -> str:
        key_id = self.key_ids[0]
        return f"{PREFIX}:{key_id}:{self._keys[key_id].encrypt(text.encode()).decode()}"

    def open(self, sealed: str) -> str:
        key_id, token = key_of(sealed), sealed.rpartition(":")[2]
        if key_id not in self._keys:
            raise Unreadable(f"it is sealed with a key that is not in REGISTRE_SECRET_KEY here ({key_id})")
        try:
            return self._keys[key_id].decrypt(token).decode()
        except InvalidToken:
            raise Unreadable("what is sealed was damaged") from None


def make_key() -> str:
    """A new key, for REGISTRE_SECRET_KEY."""
    return Fernet.generate_key().decode()


def is_sealed(text: str) -> bool:
    return text.startswith(f"{PREFIX}:")


def key_of(sealed: str) -> str:
    """The fingerprint of the key it was sealed with."""
    return sealed.split(":", 2)[1] if sealed.count(":") == 2 else ""


def _fingerprint(key: str) -> str:
    return hashlib.sha256(b"registre:" + key.encode()).hexdigest()[:8]
