"""The port `SecretBook` in memory."""

from __future__ import annotations

from registre.account import StoredSecret
from registre.vault import is_sealed
from tests.memory.state import State


class MemorySecrets:
    """Implements `registre.ports.SecretBook`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def all(self) -> list[StoredSecret]:
        with self._state.transaction():
            accounts = [
                StoredSecret(
                    "account",
                    row.id,
                    f"account {row.username}",
                    row.password or None,
                    None if row.password else row.sealed,
                )
                for row in self._state.accounts.values()
            ]
            webhooks = [
                StoredSecret(
                    "webhook", row.id, f"webhook {row.new.name}",
                    None if is_sealed(row.secret) else row.secret, row.secret if is_sealed(row.secret) else None,
                )
                for row in self._state.webhooks.values()
            ]  # fmt: skip
        return sorted(accounts + webhooks, key=lambda secret: secret.name)

    def replace(self, secret: StoredSecret, sealed: str) -> bool:
        was = secret.plain or secret.sealed
        with self._state.transaction():
            if secret.kind == "webhook":
                hook = next((row for row in self._state.webhooks.values() if row.id == secret.id), None)
                if hook is None or hook.secret != was:
                    return False
                hook.secret = sealed
                return True
            account = next((row for row in self._state.accounts.values() if row.id == secret.id), None)
            if account is None or (account.password or account.sealed) != was:
                return False
            account.password, account.sealed = "", sealed
            return True
