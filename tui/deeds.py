"""What a person does from the dashboard, over the API; each says in one sentence what became of it.

Invariant: many orders are never changed unless they are as many as the person saw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tui import wire, wire_costs
from tui.client import Client
from tui.tongue import Tongue


@dataclass(frozen=True, slots=True)
class Chosen:
    """Orders: by their ids, or those of a listing. One of both."""

    ids: tuple[str, ...] = ()
    listed: Mapping[str, str] | None = None

    def body(self) -> dict[str, object]:
        return {"filter": dict(self.listed)} if self.listed is not None else {"ids": list(self.ids)}


class Deeds:
    """Every change there is."""

    def __init__(self, client: Client, tongue: Tongue) -> None:
        self._client = client
        self._tongue = tongue

    async def count(self, action: str, chosen: Chosen) -> int:
        """How many are meant now."""
        body = {"action": action, "expected": 0, "dry_run": True, **chosen.body()}
        return (await self._client.ask("POST", "/api/extractions/bulk", wire.BulkDone, body)).matched

    async def bulk(self, action: str, chosen: Chosen, expected: int) -> str:
        body = {"action": action, "expected": expected, **chosen.body()}
        done = await self._client.ask("POST", "/api/extractions/bulk", wire.BulkDone, body)
        told = self._tongue.many("%(n)s order changed", "%(n)s orders changed", len(done.done))
        if not done.refused:
            return told
        more = self._tongue.many("%(n)s refused", "%(n)s refused", len(done.refused))
        return f"{told}, {more}: {self._tongue.reason(done.refused[0].reason)}"

    async def settle(self, extraction_id: str, decision: str, *, billed: bool) -> str:
        body = {"decision": decision, "billed": billed}
        path = f"/api/extractions/{extraction_id}/settle"
        return self._tongue.reason((await self._client.ask("POST", path, wire.Done, body)).message)

    async def pause(self, scope: str, name: str, reason: str) -> str:
        await self._client.ask("PUT", "/api/pauses", wire.Gates, {"scope": scope, "name": name, "reason": reason})
        return self._tongue.say("%(what)s is paused", what=name or scope)

    async def resume(self, scope: str, name: str) -> str:
        done = await self._client.ask("DELETE", "/api/pauses", wire.Resumed, scope=scope, name=name)
        if done.was_closed:
            return self._tongue.say("%(what)s goes on", what=name or scope)
        return self._tongue.say("There was nothing to resume.")

    async def approve(self, batch: wire.Batch) -> str:
        await self._client.ask("POST", f"/api/batches/{batch.batch_id}/approve", wire.Batch)
        return self._tongue.say("%(name)s is approved", name=batch.name)

    async def cancel_batch(self, batch: wire.Batch, expected: int) -> str:
        path = f"/api/batches/{batch.batch_id}/cancel"
        done = await self._client.ask("POST", path, wire.BatchCancelled, expected=expected)
        return self._tongue.many("%(n)s order cancelled", "%(n)s orders cancelled", done.cancelled)

    async def add_account(self, username: str, password: str) -> str:
        found = await self._client.ask(
            "POST", "/api/accounts", wire.Account, {"username": username, "password": password}
        )
        return self._tongue.say("%(name)s is kept; it signs in as soon as a worker has room", name=found.username)

    async def test(self, username: str) -> str:
        await self._client.ask("POST", f"/api/accounts/{username}/test", wire.Account)
        return self._tongue.say(
            "%(name)s is signed in anew between two orders; its line tells how that went", name=username
        )

    async def put_aside(self, username: str, reason: str) -> str:
        await self._client.ask("POST", f"/api/accounts/{username}/set-aside", wire.Account, {"reason": reason})
        return self._tongue.say("%(name)s is set aside; its host lets it go within seconds", name=username)

    async def restore(self, username: str) -> str:
        await self._client.ask("POST", f"/api/accounts/{username}/restore", wire.Account)
        return self._tongue.say("%(name)s is in service again", name=username)

    async def dearest_fee(self, sources: Sequence[str], today: date) -> int:
        """What one document of these sources costs at most; of any, when there are none."""
        fees = (await self._client.get("/api/fees", wire_costs.Fees)).fees
        newest: dict[str, wire_costs.Fee] = {}
        for fee in fees:
            if fee.valid_from > today:
                continue
            if fee.source not in newest or fee.valid_from > newest[fee.source].valid_from:
                newest[fee.source] = fee
        general = newest["*"].cents if "*" in newest else 0
        if not sources:
            return max((fee.cents for fee in newest.values()), default=0)
        return max(newest[source].cents if source in newest else general for source in sources)
