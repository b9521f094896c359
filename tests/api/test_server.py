"""`registre api` as a process: it says where it is, who may ask, and ends when it is told."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
import pytest
from typer.testing import CliRunner

from registre.cli import app
from registre.errors import InvalidInput
from tests.command import ENTRY, registre
from tests.processes import environment


class Serving:
    """A running `registre api`."""

    def __init__(self, process: subprocess.Popen[str], said: IO[str]) -> None:
        self.process = process
        self._said = said

    def until_said(self, words: str) -> str:
        """The first line that holds the words."""
        for line in self._said:
            if words in line:
                return line
        raise AssertionError(f"registre api ended without saying '{words}'")


@contextmanager
def serving(home: Path, *arguments: str, **settings: str) -> Iterator[Serving]:
    with subprocess.Popen(
        [*ENTRY, "api", *arguments],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(home, **settings),
        cwd="/",
    ) as process:
        assert process.stderr is not None
        try:
            yield Serving(process, process.stderr)
        finally:
            process.kill()


def test_it_serves_who_has_a_key_and_ends_with_its_parent(dsn: str, tmp_path: Path) -> None:
    with serving(tmp_path, "--stop-with-stdin", DATABASE_URL=dsn) as api:
        assert "registre keys add" in api.until_said("No key yet")
        address = api.until_said("api at ").split()[-1]
        made = registre(tmp_path, "keys", "add", "Marie Tremblay", "--role", "viewer", DATABASE_URL=dsn)
        assert re.fullmatch(r"registre_[0-9a-f]{8}_[\w-]{43}\n", made.out)
        key = {"X-API-Key": made.out.strip()}
        assert httpx.get(f"{address}/health").json()["status"] == "ok"
        assert httpx.get(f"{address}/api", headers=key).status_code == 200
        [listed] = registre(tmp_path, "keys", "list", "--json", DATABASE_URL=dsn).json
        assert (listed["name"], listed["role"], listed["revoked_at"]) == ("Marie Tremblay", "viewer", None)
        assert made.out.strip() not in str(listed)
        assert registre(tmp_path, "keys", "revoke", listed["prefix"], DATABASE_URL=dsn).code == 0
        assert registre(tmp_path, "keys", "revoke", listed["prefix"], DATABASE_URL=dsn).sentence
        assert api.process.stdin is not None
        api.process.stdin.close()
        assert api.process.wait(30) == 0


def test_a_signal_ends_it_and_a_port_that_is_taken_is_a_sentence(dsn: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = registre(tmp_path, "api", "--port", port, DATABASE_URL=dsn, REGISTRE_API_OPEN="1")
        assert said.code == 75
        assert f"cannot listen on port {port}" in said.sentence
    with serving(tmp_path, DATABASE_URL=dsn, REGISTRE_API_OPEN="1") as api:
        address = api.until_said("api at ").split()[-1]
        assert httpx.get(f"{address}/api").status_code == 200
        api.process.send_signal(signal.SIGTERM)
        assert api.process.wait(30) == 0


def test_a_port_that_is_taken_is_waited_for_if_asked(dsn: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = {"DATABASE_URL": dsn, "REGISTRE_API_OPEN": "1", "REGISTRE_API_PORT": str(port)}
        with serving(tmp_path, "--wait", **settings) as api:
            api.until_said("cannot listen")
            taken.close()
            assert api.until_said("api at ").split()[-1].endswith(f":{port}")


def test_an_api_without_keys_never_leaves_this_machine(dsn: str, tmp_path: Path) -> None:
    said = registre(tmp_path, "api", "--host", "0.0.0.0", DATABASE_URL=dsn, REGISTRE_API_OPEN="1")  # noqa: S104 - refused
    assert said.code == 78
    assert "REGISTRE_API_OPEN" in said.sentence


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("add", "Marie", "--role", "owner"), "role"),
        (("add", " "), "name"),
        (("add", "a\x1bb"), "name"),
        (("revoke", "no prefix"), "prefix"),
    ],
)
def test_a_key_that_cannot_be_made_or_ended_names_what_to_mend(arguments: tuple[str, ...], field: str) -> None:
    refused = CliRunner().invoke(app, ["keys", *arguments]).exception
    assert isinstance(refused, InvalidInput)
    assert refused.field == field
