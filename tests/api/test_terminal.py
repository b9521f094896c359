"""The API as the terminal dashboard reads it: what it decodes is what is answered, and the stream goes on after a cut."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

import tui
from registre.access import Role
from registre.budget import Period
from registre.gates import Scope
from registre.job import JobId, LogLine
from registre.language import Language
from registre.wiring import Store
from tests.api.conftest import Asking, running
from tests.api.test_stories import charged, delivered
from tui import wire, wire_costs
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
    store.fleet.register_host("host-b", "boot-2", "1.2.3")
    store.treasury.set_budget(Scope.SITE, "", Period.DAY, 5000, "a test")
    store.gates.pause(Scope.SITE, "", "marie", "the invoice is being checked")
    batch = ask("POST", "/api/batches", json={"orders": [{"document_source": "acte", "document_number": "25 616 321",
                "circonscription_fonciere": "Montréal", "acte_type": "Acte"}]}).json()["batch"]["batch_id"]  # fmt: skip

    async def read() -> None:
        assert (await terminal.check()).role is Role.ADMIN
        overview = await terminal.get("/api/overview", wire.Overview)
        assert (overview.today.documents, overview.queue.waiting, overview.gates.pauses[0].author) == (1, 1, "marie")
        assert len((await terminal.get("/api/pulse", wire.Pulse, span="hour")).beats) == 60
        assert [host.host for host in (await terminal.get("/api/hosts", wire.Hosts)).hosts] == ["host-b"]
        assert (await terminal.get("/api/undelivered", wire.Undelivered)).failing == ()
        assert [alert.to_do.fr for alert in (await terminal.get("/api/alerts", wire.Alerts)).alerts] == []
        assert isinstance((await terminal.get("/api/hours", wire.Hours)).hours, tuple)
        page = await terminal.get("/api/extractions", wire.ExtractionPage, limit=10, status="completed")
        assert [job.extraction_id for job in page.jobs] == [done]
        path = f"/api/extractions/{done}"
        assert (await terminal.get(path, wire.Extraction)).place == "Montréal, Cadastre du Québec"
        assert len((await terminal.get(f"{path}/attempts", wire.Attempts)).attempts) == 1
        store.log.keep([LogLine(JobId(done), datetime.now(UTC), "host-a", "INFO", "a page came")])
        assert [line.text for line in (await terminal.get(f"{path}/log", wire.Log)).lines] == ["a page came"]
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
        assert (await terminal.get("/api/costs", wire_costs.Costs, by="source")).lines[0].documents_cents == 150
        assert (await terminal.get("/api/budgets", wire_costs.Budgets)).budgets[0].cap_cents == 5000
        assert (await terminal.get("/api/fees", wire_costs.Fees)).fees[0].cents == 150
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
        assert "signed in anew" in await deeds.test("99T0009")
        accounts = {one.username: one for one in (await terminal.get("/api/accounts", wire.Accounts)).accounts}
        test = accounts["99T0009"].test
        assert test is not None
        assert (test.asked_by, test.outcome) == ("the admin", None)
        assert "is set aside" in await deeds.put_aside("99T0009", "holidays")
        assert "in service again" in await deeds.restore("99T0009")
        assert await deeds.dearest_fee(["acte"], datetime.now(UTC).date()) == 150
        lease, purchase = charged(store)
        store.ledger.mark_ambiguous(purchase, lease, "nobody can tell")
        [unsettled] = (
            await terminal.get("/api/extractions", wire.ExtractionPage, limit=1, error_kind="ambiguous_purchase")
        ).jobs
        assert "ordered anew" in await deeds.settle(unsettled.extraction_id, "rebuy", billed=True)
        store.gates.set_rule("approval_above_cents", 100, "a test")
        unapproved = ask("POST", "/api/batches", json={"orders": [{"document_source": "acte", "document_number": "25 616 322",
                         "circonscription_fonciere": "Montréal", "acte_type": "Acte"}]}).json()["batch"]["batch_id"]  # fmt: skip
        view = next(
            found
            for found in (await terminal.get("/api/batches", wire.Batches)).batches
            if found.batch_id == unapproved
        )
        assert "is approved" in await deeds.approve(view)

    asyncio.run(read())


TUI = Path(tui.__file__).parent
ASKING = {"get": 0, "ask": 1}
"""The client's methods, and which argument is the path."""
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def asked_in(source: str) -> Iterator[tuple[str, str, str]]:
    """(method, path, what it is read as) of every request a module makes; a * for what is filled in."""
    tree = ast.parse(source)
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)):
        paths = {
            target.id: pattern_of(node.value, {})
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and target.id == "path"
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKING:
                at = ASKING[node.func.attr]
                if len(node.args) > at + 1 and "client" in ast.unparse(node.func.value):
                    method = ast.literal_eval(node.args[0]) if at else "GET"
                    yield method, pattern_of(node.args[at], paths), ast.unparse(node.args[at + 1]).rpartition(".")[2]


def pattern_of(node: ast.expr, names: dict[str, str]) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return names[name]
        case ast.JoinedStr(values=parts):
            return "".join(
                part.value
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
                else names.get(ast.unparse(part.value), "*")
                if isinstance(part, ast.FormattedValue)
                else ""
                for part in parts
            )
    raise AssertionError(ast.unparse(node))


def test_whatever_the_dashboard_asks_is_read_here_from_the_real_api(
    client: TestClient[Litestar], ask: Asking, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a field the API renames is found: each request of tui/ has its answer decoded by the test above."""
    decoded: set[tuple[str, str, str]] = set()
    original = Client.ask

    async def noted(self: Client, method: str, path: str, kind: Any, body: object = None, **parameters: Any) -> Any:
        answer = await original(self, method, path, kind, body, **parameters)
        path = re.sub(r"(?<=/accounts/)[^/]+", "*", ID.sub("*", path))
        decoded.add((method, path, kind.__name__))
        return answer

    monkeypatch.setattr(Client, "ask", noted)
    terminal = Client("http://registre.test", ask.key(Role.ADMIN), transport=httpx.ASGITransport(client.app))
    test_what_the_dashboard_reads_is_what_is_answered(terminal, ask, store, tmp_path)
    asked = {one for file in TUI.rglob("*.py") for one in asked_in(file.read_text("utf-8"))}
    asked -= {one for one in asked if one[1] in ("", "*")}
    assert len(asked) > 25
    assert asked - decoded == set()


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
