"""A firm's way from plain passwords to sealed ones, and from one key to the next, by commands."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from registre.errors import ConfigurationError
from registre.vault import is_sealed
from tests.command import Run, in_this_process, said


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, dsn: str, tmp_path: Path) -> Run:
    return in_this_process(monkeypatch, dsn, tmp_path, REGISTRY_BASE_URL="http://127.0.0.1:1")


@pytest.fixture
def plain_account(dsn: str) -> str:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("insert into worker_accounts (username, password) values ('99X9999', 'sésame')")
    return dsn


def stored(dsn: str) -> tuple[str, str]:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        [row] = connection.execute("select password, coalesce(password_sealed, '') as sealed from worker_accounts")
    return row["password"], row["sealed"]


def secrets_of(run: Run) -> tuple[str, str, str]:
    found = json.loads(run("doctor", "--json").stdout)
    [line] = [line for line in found if line["what"] == "secrets"]
    return line["health"], line["told"], line["to_do"]


def test_from_plain_to_sealed_to_the_next_key(
    run: Run, plain_account: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert secrets_of(run)[:2] == ("warning", "1 stored plain")
    first, second = said(run("accounts", "key")), said(run("accounts", "key"))
    assert isinstance(run("accounts", "encrypt").exception, ConfigurationError), "it has no key yet"
    monkeypatch.setenv("REGISTRE_SECRET_KEY", first)
    assert secrets_of(run)[2] == "registre accounts encrypt"
    assert said(run("accounts", "encrypt")) == "1 sealed"
    password, sealed = stored(plain_account)
    assert password == ""
    assert is_sealed(sealed)
    assert secrets_of(run)[:2] == ("ok", "sealed")
    assert "sealed" in said(run("accounts", "list"))

    monkeypatch.setenv("REGISTRE_SECRET_KEY", f"{second},{first}")
    assert secrets_of(run)[0] == "warning"
    assert json.loads(said(run("accounts", "rotate", "--json"))) == {"done": 1, "kept": {}}
    monkeypatch.setenv("REGISTRE_SECRET_KEY", second)
    assert secrets_of(run)[:2] == ("ok", "sealed")

    monkeypatch.setenv("REGISTRE_SECRET_KEY", first)
    health, told, _ = secrets_of(run)
    assert health == "failed"
    assert "account 99X9999" in told
    assert run("accounts", "rotate").exit_code == 3
    assert "not here" in said(run("accounts", "list"))
    for secret in ("sésame", first, second):
        assert secret not in caplog.text


def test_a_key_that_is_none_is_a_sentence_without_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRE_SECRET_KEY", "sesame")
    refused = run("accounts", "list")
    assert isinstance(refused.exception, ConfigurationError)
    assert str(refused.exception).startswith("REGISTRE_SECRET_KEY is wrong: ")
    assert "sesame" not in str(refused.exception)
