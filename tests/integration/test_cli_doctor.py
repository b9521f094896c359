"""`registre doctor` on a host of its own: as it comes, with what is wrong mended and broken, and without its database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registre.access import Role, make_key
from registre.gates import Scope
from registre.twin.config import TwinConfig
from registre.twin.server import TwinServer
from registre.wiring import Store
from tests.command import Run, Said, in_this_process, registre
from tests.redis_server import running_redis


@pytest.fixture(scope="module")
def twin() -> Iterator[TwinServer]:
    with TwinServer(TwinConfig()) as server:
        yield server


@pytest.fixture
def run(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, twin: TwinServer) -> Run:
    monkeypatch.setenv("REGISTRY_BASE_URL", twin.base_url)
    return in_this_process(monkeypatch, dsn, tmp_path)


def health(text: str) -> dict[str, str]:
    return {finding["what"]: finding["health"] for finding in json.loads(text)}


def test_a_host_that_is_right_has_no_failure(store: Store, run: Run) -> None:
    store.accounts.add("99X0001", "made up")
    store.keys.add(make_key(), "marie", Role.ADMIN, "a test")
    answer: Any = run("doctor", "--json")
    assert answer.exit_code == 0, answer.output
    found = health(answer.stdout)
    assert {found[name] for name in ("home", "browser", "site", "database", "clock", "schema", "buckets", "queue")} == {
        "ok"
    }
    assert {name for name, stands in found.items() if stands != "ok"} == {"secrets"}, (
        "a password without a key is stored plain"
    )
    table = run("doctor").stdout
    for words in ("registre doctor", "PostgreSQL", "written, read and removed"):
        assert words in table
    assert "made up" not in table


def test_what_is_wrong_is_told_with_what_to_do(store: Store, run: Run) -> None:
    store.gates.pause(Scope.SITE, "", "marie", "the invoice is being checked")
    answer: Any = run("doctor", "--json")
    assert answer.exit_code == 0, "warnings are no failure"
    assert (health(answer.stdout)["accounts"], health(answer.stdout)["pause of site"]) == ("warning", "warning")
    assert "registre resume site" in run("doctor").stdout


def test_without_its_database_it_says_so_and_fails(tmp_path: Path) -> None:
    said: Said = registre(
        tmp_path,
        "doctor",
        "--json",
        DATABASE_URL="postgresql://127.0.0.1:9/none",
        REGISTRY_BASE_URL="http://127.0.0.1:9/",
    )
    assert said.code == 1
    assert (health(said.out)["database"], health(said.out)["site"]) == ("failed", "warning")
    assert "Traceback" not in said.err


def test_a_broker_is_asked_and_its_password_is_not_told(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_redis("--requirepass", "r1ght") as guarded:
        for user, stands in ((":r1ght@", "ok"), (":wr0ng@", "failed"), ("", "failed")):
            monkeypatch.setenv("REGISTRE_BROKER_URL", f"redis://{user}127.0.0.1:{guarded.port}/0")
            answer: Any = run("doctor", "--json")
            assert health(answer.stdout)["broker"] == stands
            assert answer.exit_code == (1 if stands == "failed" else 0)
            assert "r0ng" not in answer.output
            assert "r1ght" not in answer.output
    told: Any = run("doctor", "--json")
    [broker] = [finding for finding in json.loads(told.stdout) if finding["what"] == "broker"]
    assert (told.exit_code, broker["health"]) == (0, "warning"), "documents are delivered without it too"
    assert "REGISTRE_BROKER_URL" in broker["to_do"]
