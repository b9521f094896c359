"""The account book over the gateway (sql/04)."""

from __future__ import annotations

from datetime import timedelta

from registre.account import AccountId, AccountView, Credentials, Seat
from registre.database.gateway import Gateway
from registre.vault import Unreadable, Vault


class Accounts:
    """Implements `registre.ports.AccountBook`. Thread-safe."""

    def __init__(self, gateway: Gateway, vault: Vault | None = None) -> None:
        """Without keys in the vault passwords are stored as they are, and sealed ones are left to other hosts."""
        self._gateway = gateway
        self._vault = vault or Vault()

    def add(self, username: str, password: str, author: str | None = None) -> tuple[AccountId, bool]:
        sealed = self._vault.seal(password) if self._vault.can_seal else None
        kept = "" if sealed is not None else password
        row = self._gateway.call("add_account", username=username, password=kept, sealed=sealed, author=author)[0]
        return AccountId(row["id"]), bool(row["created"])

    def all(self) -> list[AccountView]:
        return [
            AccountView(
                id=AccountId(row["id"]),
                username=row["username"],
                state=row["state"],
                reason=row["reason"],
                until=row["until"],
                lease_owner=row["lease_owner"],
                last_used=row["last_used"],
                failure_count=row["failure_count"],
                sealed_with=row["sealed_with"],
            )
            for row in self._gateway.call("list_accounts")
        ]

    def claim(self, owner: str, limit: int, visibility: timedelta) -> list[tuple[Seat, Credentials]]:
        rows = self._gateway.call(
            "claim_accounts",
            owner=owner,
            limit=limit,
            visibility_seconds=visibility.total_seconds(),
            keys=list(self._vault.key_ids),
        )
        host = owner.split("/", 1)[0]
        claimed = []
        for row in rows:
            seat = Seat(AccountId(row["id"]), row["token"], row["username"], f"{host}/{row['username']}")
            try:
                # A plain one beside a sealed one was written later, by a program that knows no other.
                password = row["password"] or (self._vault.open(row["sealed"]) if row["sealed"] else "")
            except Unreadable as error:
                self.set_aside(seat, f"Its password cannot be read: {error}. Give it anew.", None)
                continue
            claimed.append((seat, Credentials(seat.account_id, seat.username, password)))
        return claimed

    def release(self, seat: Seat) -> None:
        self._gateway.call("release_account", account=seat.account_id, token=seat.token)

    def restore(self, username: str, author: str) -> bool:
        return bool(self._gateway.call("restore_account", username=username, author=author)[0]["restore_account"])

    def set_aside(self, seat: Seat, reason: str, duration: timedelta | None) -> None:
        self._gateway.call(
            "set_account_aside",
            account=seat.account_id,
            token=seat.token,
            reason=reason,
            seconds=duration.total_seconds() if duration else None,
        )
