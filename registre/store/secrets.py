"""The stored secrets over the gateway (sql/06 and sql/17)."""

from __future__ import annotations

from registre.account import StoredSecret
from registre.database.gateway import Gateway


class Secrets:
    """Implements `registre.ports.SecretBook`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def all(self) -> list[StoredSecret]:
        return [StoredSecret(**row) for row in self._gateway.call("stored_secrets")]

    def replace(self, secret: StoredSecret, sealed: str) -> bool:
        row = self._gateway.call(
            "seal_secret", kind=secret.kind, id=secret.id, was=secret.plain or secret.sealed, sealed=sealed
        )[0]
        return bool(row["seal_secret"])
