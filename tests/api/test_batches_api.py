"""Batches over HTTP: priced before, all or the good rows, sent again, approved, cancelled, fetched as one ZIP."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from registre.access import Role
from registre.job import JobFilter, Status
from registre.wiring import Store
from tests.api.conftest import ACTE, NOBODY, ORDER, Asking
from tests.api.test_stories import PDF, delivered

CSV = """source;numéro;circonscription;cadastre;type d'acte
index;2 784 195;Montréal;Cadastre du Québec;
acte;25616321;Laval;;Acte
"""
BAD = CSV + "acte;53850;;;Acte\n"


def excel(rows: str) -> bytes:
    book, file = Workbook(), io.BytesIO()
    sheet = book.create_sheet("Commandes", 0)
    for line in rows.splitlines():
        sheet.append(line.split(";"))
    book.save(file)
    return file.getvalue()


def batch(ask: Asking, **more: Any) -> Any:
    answer = ask("POST", "/api/batches", json={"name": "Dossier 12", "orders": [ORDER, ACTE], **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["batch"]


def test_a_batch_of_json_is_ordered_as_one(ask: Asking) -> None:
    told = batch(ask, client="a", cap_cents=500)
    assert (told["name"], told["client"], told["author"]) == ("Dossier 12", "a", "the admin")
    assert (told["total"], told["waiting"], told["price_cents"], told["cap_cents"]) == (2, 2, 300, 500)
    jobs = ask("GET", f"/api/extractions?batch={told['batch_id']}").json()["jobs"]
    assert [(job["document_source"], job["client"]) for job in jobs] == [("acte", "a"), ("index", "a")]
    assert ask("GET", f"/api/batches/{told['batch_id']}").json() == told
    assert ask("GET", "/api/batches").json()["batches"] == [told]


@pytest.mark.parametrize(
    "posted",
    [
        {"content": CSV.encode(), "headers": {"content-type": "text/csv"}},
        {"content": CSV.encode("windows-1252"), "headers": {"content-type": "text/csv; charset=windows-1252"}},
        {"content": excel(CSV), "headers": {"content-type": "application/octet-stream"}},
        {"files": {"file": ("orders.xlsx", excel(CSV))}, "data": {"name": "Dossier 13"}},
    ],
    ids=["utf-8", "windows-1252", "excel", "form"],
)
def test_a_batch_is_a_file_of_orders(ask: Asking, posted: dict[str, Any]) -> None:
    seen = ask("POST", "/api/batches?dry_run=true&name=Dossier 13", **posted)
    assert (seen.status_code, sum(ask.store.views.counts().values())) == (200, 0)
    assert (seen.json()["dry_run"], seen.json()["batch"], seen.json()["price_cents"]) == (True, None, 300)
    assert [row["owned"] for row in seen.json()["rows"]] == [None, None]
    told = ask("POST", "/api/batches?name=Dossier 13", role=Role.REQUESTER, **posted).json()
    assert (told["batch"]["name"], told["batch"]["total"], told["accepted"]) == ("Dossier 13", 2, 2)
    assert {job.request.circonscription for job in ask.store.views.page(JobFilter()).jobs} == {"Montréal", "Laval"}


def test_a_price_says_what_is_owned_already(ask: Asking, store: Store, tmp_path: Path) -> None:
    ask.order()
    delivered(store, tmp_path)
    seen = ask("POST", "/api/batches?dry_run=true", json={"orders": [ORDER, ACTE]}).json()
    assert (seen["owned"], seen["price_cents"]) == (1, 150)
    assert seen["rows"][0]["owned"] == "index/k.pdf"
    fresh = ask("POST", "/api/batches?dry_run=true&fresh=true", json={"orders": [ORDER, ACTE]}).json()
    assert (fresh["owned"], fresh["price_cents"]) == (0, 300)


def test_a_row_that_cannot_be_ordered_keeps_the_batch_back_unless_told_otherwise(ask: Asking) -> None:
    csv: dict[str, Any] = {"content": BAD.encode(), "headers": {"content-type": "text/csv"}}
    answer = ask("POST", "/api/batches", **csv)
    assert (answer.status_code, sum(ask.store.views.counts().values())) == (400, 0)
    [error] = answer.json()["errors"]
    assert error["field"] == "row 4: circonscription_fonciere"
    told = ask("POST", "/api/batches?partial=true", **csv).json()
    assert (told["accepted"], [row["row"] for row in told["refused"]]) == (2, [4])


def test_each_order_of_json_is_judged_by_itself(ask: Asking) -> None:
    orders = [ORDER, {**ORDER, "cadaster": "x"}, ACTE, {"document_source": "acte"}, 5, {**ORDER, "client": "b"}]
    answer = ask("POST", "/api/batches", json={"orders": orders})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [
        "row 2: cadaster",
        "row 4: document_number",
        "row 5: body",
        "row 6: document_number",
    ]
    told = ask("POST", "/api/batches?partial=true", json={"orders": orders}).json()
    assert told["accepted"] == 2


@pytest.mark.parametrize(
    ("posted", "field"),
    [
        ({"json": {"orders": []}}, "orders"),
        ({"json": {}}, "orders"),
        ({"json": {"orders": [ORDER], "nmae": "x"}}, "nmae"),
        ({"json": {"orders": [ORDER], "name": "a\x1b"}}, "name"),
        ({"json": {"orders": [ORDER], "cap_cents": -1}}, "cap_cents"),
        ({"json": [ORDER]}, "body"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, "body"),
        ({"content": b"", "headers": {"content-type": "text/csv"}}, "file"),
        ({"content": b"PK\x03\x04 broken", "headers": {"content-type": "text/csv"}}, "file"),
        ({"content": b"a;b\n1;2\n", "headers": {"content-type": "text/csv"}}, "columns"),
        ({"files": {"other": ("x.csv", CSV.encode())}}, "file"),
    ],
)
def test_a_body_that_is_no_batch_names_what_to_mend(ask: Asking, posted: dict[str, Any], field: str) -> None:
    answer = ask("POST", "/api/batches", **posted)
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert sum(ask.store.views.counts().values()) == 0


def test_a_batch_sent_again_under_its_key_is_one_batch(ask: Asking) -> None:
    key = {"Idempotency-Key": "dossier-12"}
    first = ask("POST", "/api/batches", json={"orders": [ORDER, ACTE]}, headers=key)
    again = ask("POST", "/api/batches", json={"orders": [ORDER, ACTE]}, headers=key)
    assert (first.status_code, again.status_code, again.headers["idempotency-replayed"]) == (201, 201, "true")
    assert first.json() == again.json()
    other = ask("POST", "/api/batches?fresh=true", json={"orders": [ORDER, ACTE]}, headers=key)
    assert other.status_code == 422
    assert sum(ask.store.views.counts().values()) == 2


def test_a_batch_above_the_threshold_waits_for_an_operator(ask: Asking) -> None:
    ask.store.gates.set_rule("approval_above_cents", 100, "a test")
    told = batch(ask)
    assert told["waits_for_approval"] is True
    path = f"/api/batches/{told['batch_id']}/approve"
    assert ask("POST", path, role=Role.REQUESTER).status_code == 403
    approved = ask("POST", path, role=Role.OPERATOR).json()
    assert (approved["waits_for_approval"], approved["approved_by"]) == (False, "the operator")
    assert ask("POST", path).status_code == 409


def test_a_batch_is_cancelled_when_it_is_as_it_was_seen(ask: Asking) -> None:
    path = f"/api/batches/{batch(ask)['batch_id']}/cancel"
    assert ask("POST", f"{path}?expected=1").status_code == 409
    assert ask.store.views.counts()[Status.WAITING] == 2
    assert ask("POST", f"{path}?expected=2").json()["cancelled"] == 2


def test_a_batch_is_fetched_as_one_zip(ask: Asking, store: Store, tmp_path: Path) -> None:
    told = batch(ask, orders=[ORDER])
    delivered(store, tmp_path)
    answer = ask("GET", f"/api/batches/{told['batch_id']}/documents.zip")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["registre-documents"] == "1"
    assert 'filename="batch Dossier 12.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["index 2784195 Montréal.pdf", "manifest.csv"]
        assert archive.read("index 2784195 Montréal.pdf") == PDF


@pytest.mark.parametrize("name", [NOBODY, "twelve"])
@pytest.mark.parametrize(
    ("method", "rest"), [("GET", ""), ("POST", "/approve"), ("POST", "/cancel"), ("GET", "/documents.zip")]
)
def test_what_names_no_batch_is_not_found(ask: Asking, name: str, method: str, rest: str) -> None:
    assert ask(method, f"/api/batches/{name}{rest}").status_code == 404
