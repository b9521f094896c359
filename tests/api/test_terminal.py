"""The API as the terminal dashboard reads it: what it decodes is what is answered, and the stream goes on after a cut."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from registre.access import Role
from registre.budget import Period
from registre.gates import Scope
from registre.language import Language
from registre.wiring import Store
from tests.api.conftest import Asking, running
from tests.api.test_stories import delivered
from tui import wire
from tui.client import Client
from tui.deeds import Chosen, Deeds
from tui.tongue import Tongue


@pytest.fixture
def terminal(client: TestClient[Litestar], ask: Asking) -> Client:
    """The dashboard's own client, on the application itself."""
    return Client("http://registre.test", ask.key(Role.ADMIN), transport=httpx.ASGITransport(client.app))


def test_what_the_dashboard_reads_is_what_is_answered(
    terminal: Client, ask: Asking, store: Store, tmp_path: Path
) -> None:
    ask.order()
    done = delivered(store, tmp_path)
    failed = ask.order(document_number="2 784 196")
    ask("DELETE", f"/api/extractions/{failed}")
    store.fleet.register_host("host-a", "boot-2", "1.2.3")
    store.treasury.set_budget(Scope.SITE, "", Period.DAY, 5000, "a test")
    store.gates.pause(Scope.SITE, "", "marie", "the invoice is being checked")
    batch = ask("POST", "/api/batches", json={"orders": [{"document_source": "acte", "document_number": "25 616 321",
                "circonscription_fonciere": "Montréal", "acte_type": "Acte"}]}).json()["batch"]["batch_id"]  # fmt: skip

    async def read() -> None:
        assert (await terminal.check()).role is Role.ADMIN
        overview = await terminal.get("/api/overview", wire.Overview)
        assert (overview.today.documents, overview.queue.waiting, overview.gates.pauses[0].author) == (1, 1, "marie")
        assert len((await terminal.get("/api/pulse", wire.Pulse, span="hour")).beats) == 60
        assert [host.host for host in (await terminal.get("/api/hosts", wire.Hosts)).hosts] == ["host-a"]
        assert isinstance((await terminal.get("/api/hours", wire.Hours)).hours, tuple)
        page = await terminal.get("/api/extractions", wire.ExtractionPage, limit=10, status="completed")
        assert [job.extraction_id for job in page.jobs] == [done]
        path = f"/api/extractions/{done}"
        assert (await terminal.get(path, wire.Extraction)).place == "Montréal, Cadastre du Québec"
        assert len((await terminal.get(f"{path}/attempts", wire.Attempts)).attempts) == 1
        assert [line.state for line in (await terminal.get(f"{path}/ledger", wire.Ledger)).lines] == ["delivered"]
        assert (await terminal.get(f"{path}/events", wire.History)).events[0].kind == "job.submitted"
        assert (await terminal.get(f"{path}/why", wire.Why)).reason.startswith("it is done")
        name, content = await terminal.document(done)
        assert (name.endswith(".pdf"), content[:5]) == (True, b"%PDF-")
        assert [cause.error_kind for cause in (await terminal.get("/api/failures", wire.Causes)).causes] == [
            "cancelled"
        ]
        assert len((await terminal.get("/api/accounts", wire.Accounts)).accounts) == 1
        assert [found.batch_id for found in (await terminal.get("/api/batches", wire.Batches)).batches] == [batch]
        assert (await terminal.get("/api/costs", wire.Costs, by="source")).lines[0].documents_cents == 150
        assert (await terminal.get("/api/budgets", wire.Budgets)).budgets[0].cap_cents == 5000
        assert (await terminal.get("/api/fees", wire.Fees)).fees[0].cents == 150
        assert (await terminal.get("/api/history", wire.History, limit=500)).events

        deeds = Deeds(terminal, Tongue(Language.ENGLISH))
        assert await deeds.count("retry", Chosen(listed={"status": "failed"})) == 1
        assert await deeds.bulk("retry", Chosen(ids=(failed,)), 1) == "1 order changed"
        assert await deeds.resume("site", "") == "site goes on"
        assert await deeds.resume("site", "") == "There was nothing to resume."
        assert await deeds.pause("client", "x", "they asked") == "x is paused"
        [view] = (await terminal.get("/api/batches", wire.Batches)).batches
        assert await deeds.cancel_batch(view, 1) == "1 order cancelled"
        assert "99T0009 is kept" in await deeds.add_account("99T0009", "motdepasse")

    asyncio.run(read())


def test_the_stream_goes_on_from_where_it_was_cut(client: TestClient[Litestar], ask: Asking) -> None:
    ask.order()  # also makes the keys, which would be told
    viewer = ask.key(Role.VIEWER)
    with running(client.app) as address:

        async def follow() -> None:
            terminal = Client(address, viewer)
            seen: list[str] = []
            cursor: str | None = None
            async for at, fact in terminal.events(None):
                cursor = at or cursor
                if fact is None and cursor is not None and not seen:
                    await asyncio.to_thread(ask.order)
                elif fact is not None:
                    seen.append(fact.kind)
                    break
            await asyncio.to_thread(ask.order, document_number="2 784 196")
            async for _, fact in terminal.events(cursor):
                if fact is not None:
                    seen.append(fact.kind)
                    break
            assert seen == ["job.submitted", "job.submitted"]
            await terminal.close()

        asyncio.run(asyncio.wait_for(follow(), 20))
