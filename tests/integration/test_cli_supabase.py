"""The command line on a Supabase project: database and documents over HTTPS, and one sentence for whatever is not in order."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from registre.errors import ConfigurationError, Refused, Unavailable
from registre.settings import load_settings
from registre.wiring import open_store
from tests.command import Run, in_this_process, said
from tests.supabase.server import SECRET_KEY, StandIn

ORDER = (
    "submit",
    "index",
    "--number",
    "2 784 195",
    "--circonscription",
    "Montréal",
    "--cadastre",
    "Cadastre du Québec",
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, dsn: str, tmp_path: Path, supabase: StandIn) -> Run:
    project = {
        "SUPABASE_URL": supabase.url,
        "SUPABASE_SECRET_KEY": SECRET_KEY,
        "REGISTRY_BASE_URL": "http://127.0.0.1:1",
    }
    return in_this_process(monkeypatch, dsn, tmp_path, REGISTRE_DATABASE="rest", **project)


def test_orders_go_in_and_are_seen(run: Run, supabase: StandIn) -> None:
    job = said(run(*ORDER))
    assert job in said(run("jobs", "list", "--json"))
    assert ("POST", "/rest/v1/rpc/registre_call") in supabase.requests


def test_the_schema_is_seen_and_not_changed(run: Run, supabase: StandIn) -> None:
    assert f"database: the HTTP API of {supabase.url}" in said(run("db", "status"))
    refused = run("db", "upgrade")
    assert isinstance(refused.exception, Refused)
    assert "registre db plan" in str(refused.exception)


def test_the_plan_needs_no_database(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "http://127.0.0.1:1")
    plan = said(run("db", "plan"))
    assert "create table if not exists public.extraction_queue" in plan
    assert "create or replace function public.registre_call" in plan


def test_documents_are_in_the_projects_buckets(run: Run, supabase: StandIn, tmp_path: Path) -> None:
    del run
    supabase.storage.buckets.clear()
    document = tmp_path / "k.pdf"
    document.write_bytes(b"%PDF")
    with open_store(load_settings()) as store:
        store.bucket.put("index", "k.pdf", document, hashlib.sha256(b"%PDF").hexdigest())
    assert list(supabase.storage.buckets["index"].objects) == ["k.pdf"]


def test_a_wrong_key_ends_with_a_sentence_without_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "sb_secret_wrong")
    refused = run("jobs", "list")
    assert isinstance(refused.exception, ConfigurationError)
    assert "sb_secret_wrong" not in str(refused.exception)


def test_a_project_that_is_away_ends_with_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "http://127.0.0.1:1")
    assert isinstance(run("jobs", "list").exception, Unavailable)


def test_the_twin_never_meets_a_project(run: Run) -> None:
    assert isinstance(run("up", "--twin").exception, Refused)


def test_the_doctor_says_how_the_database_and_the_buckets_are_reached(run: Run, supabase: StandIn) -> None:
    found = run("doctor", "--json").stdout
    assert "over HTTPS, orders and events are looked for each second" in found
    assert "written, read and removed" in found
    assert SECRET_KEY not in found
    assert supabase.url in found
