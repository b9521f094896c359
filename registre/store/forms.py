"""The site's forms over the gateway (sql/13_site)."""

from __future__ import annotations

from registre.database.gateway import Gateway, Json
from registre.document import Source
from registre.forms import FormContract, SeenForm, contract_of, difference


class Forms:
    """Implements `registre.ports.FormBook`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def observe(self, source: Source, contract: FormContract) -> str:
        """The difference is taken here and written there, so the database says with what it must be taken."""
        against, changed = None, ""
        while True:
            row = self._gateway.call(
                "observe_form",
                source=str(source),
                fingerprint=contract.fingerprint,
                content=Json(contract.content()),
                against=against,
                difference=changed,
            )[0]
            if row["verdict"] == "accepted":
                return ""
            if row["verdict"] == "drifted":
                return changed
            against, changed = row["against"], difference(contract_of(row["content"]), contract)

    def known(self) -> list[SeenForm]:
        return [
            SeenForm(
                source=Source(row["source"]),
                contract=contract_of(row["content"]),
                first_seen=row["first_seen"],
                last_seen=row["last_seen"],
                accepted_at=row["accepted_at"],
                accepted_by=row["accepted_by"],
            )
            for row in self._gateway.call("known_forms")
        ]

    def accept(self, source: Source, author: str) -> bool:
        return bool(self._gateway.call("accept_form", source=str(source), author=author)[0]["accept_form"])
