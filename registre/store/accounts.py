"""The account book over the gateway (sql/06)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from registre.account import (
    AccountId,
    AccountView,
    Credentials,
    Seat,
    SignInOutcome,
    SignInTest,
    Wish,
    WishKind,
)
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
                test=_test(row),
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

    def put_aside(self, username: str, reason: str, author: str) -> None:
        self._gateway.call("put_account_aside", username=username, reason=reason, author=author)

    def ask_test(self, username: str, author: str) -> None:
        self._gateway.call("ask_sign_in_test", username=username, author=author)

    def wishes(self, owner: str) -> list[Wish]:
        rows = self._gateway.call("account_wishes", owner=owner)
        return [Wish(AccountId(row["id"]), row["token"], WishKind(row["wish"])) for row in rows]

    def note_sign_in(self, seat: Seat, outcome: SignInOutcome, message: str, seconds: float) -> bool:
        row = self._gateway.call(
            "note_sign_in",
            account=seat.account_id,
            token=seat.token,
            outcome=str(outcome),
            message=message or None,
            seconds=seconds,
        )[0]
        return bool(row["note_sign_in"])

    def set_aside(self, seat: Seat, reason: str, duration: timedelta | None) -> None:
        self._gateway.call(
            "set_account_aside",
            account=seat.account_id,
            token=seat.token,
            reason=reason,
            seconds=duration.total_seconds() if duration else None,
        )


def _test(row: dict[str, Any]) -> SignInTest | None:
    if row["test_asked_at"] is None:
        return None
    return SignInTest(
        asked_at=row["test_asked_at"],
        asked_by=row["test_asked_by"],
        began_at=row["test_began_at"],
        ended_at=row["test_ended_at"],
        outcome=SignInOutcome(row["test_outcome"]) if row["test_outcome"] else None,
        message=row["test_message"],
        seconds=row["test_seconds"],
    )
