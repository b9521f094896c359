"""Sealing what is stored: passwords of accounts and secrets of webhooks, those that are plain and those under a former key.

Invariant: a secret is replaced only if it is still what was read, so that one given meanwhile is never lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from registre.errors import ConfigurationError
from registre.ports import SecretBook
from registre.vault import Unreadable, Vault, key_of


@dataclass(frozen=True, slots=True)
class Standing:
    """How many stored secrets are plain, sealed with the first key, with another one that is here, or with one that is not."""

    plain: int = 0
    sealed: int = 0
    former: int = 0
    unreadable: tuple[str, ...] = ()
    """Whose they are."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """What was done: how many are sealed now, and whose could not be, with the reason."""

    done: int = 0
    kept: dict[str, str] = field(default_factory=dict)


def standing(book: SecretBook, vault: Vault) -> Standing:
    plain = sealed = former = 0
    unreadable = []
    for secret in book.all():
        if secret.plain is not None:
            plain += 1
        elif secret.sealed is not None and (key := key_of(secret.sealed)) in vault.key_ids:
            sealed, former = (sealed + 1, former) if key == vault.key_ids[0] else (sealed, former + 1)
        elif secret.sealed is not None:
            unreadable.append(secret.name)
    return Standing(plain, sealed, former, tuple(unreadable))


def encrypt(book: SecretBook, vault: Vault) -> Resealed:
    """Seal what is plain. ConfigurationError without a key."""
    return _reseal(book, vault, former_too=False)


def rotate(book: SecretBook, vault: Vault) -> Resealed:
    """Seal with the first key whatever is not. After it on all hosts, the other keys may go. ConfigurationError without a key."""
    return _reseal(book, vault, former_too=True)


def _reseal(book: SecretBook, vault: Vault, *, former_too: bool) -> Resealed:
    if not vault.can_seal:
        raise ConfigurationError("REGISTRE_SECRET_KEY is not set: `registre accounts key` makes one.")
    done = 0
    kept: dict[str, str] = {}
    for secret in book.all():
        text = secret.plain
        if text is None:
            if secret.sealed is None or not former_too or key_of(secret.sealed) == vault.key_ids[0]:
                continue
            try:
                text = vault.open(secret.sealed)
            except Unreadable as error:
                kept[secret.name] = str(error)
                continue
        if book.replace(secret, vault.seal(text)):
            done += 1
        else:
            kept[secret.name] = "it was changed meanwhile"
    return Resealed(done, kept)
