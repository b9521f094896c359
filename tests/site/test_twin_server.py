"""The twin as a process: it says where it listens, and dies when it should."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from registre.errors import ConfigurationError, Unavailable
from registre.twin.config import TwinConfig
from registre.twin.faults import FAULTS
from registre.twin.server import TwinServer, serve

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from registre.twin.config import TwinConfig
from registre.twin.server import serve
serve(TwinConfig(), "127.0.0.1", 0, lambda url: print(url, flush=True), stop_with_stdin=sys.argv[1] == "stdin")
"""


def start(mode: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def announced(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_served_twin_announces_itself_and_dies_with_its_stdin() -> None:
    with start("stdin") as process:
        url = announced(process)
        assert url.endswith("/Sirf/")
        assert httpx.get(url).status_code == 200
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_served_twin_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    with start("no") as process:
        assert announced(process)
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
        assert (process.returncode, errors) == (0, "")


def test_a_taken_port_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port}"):
            serve(TwinConfig(), "127.0.0.1", port, print, stop_with_stdin=False)
        with pytest.raises(Unavailable, match=f"port {port}"):
            TwinServer(port=port).__enter__()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org"])  # noqa: S104 (refused)
def test_the_twin_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(ConfigurationError, match="loopback"):
        serve(TwinConfig(), host, 0, print, stop_with_stdin=False)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "registre.cli", "twin", *arguments]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("nope", "there is no fault 'nope'"),
        ("hang=page=nowhere", "there is no page 'nowhere'"),
    ],
)
def test_a_wrong_fault_of_the_command_is_one_sentence_and_2(fault: str, words: str) -> None:
    ended = subprocess.run(command("--port", "0", "--fault", fault), capture_output=True, text=True, cwd=ROOT)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_command_lists_every_fault() -> None:
    ended = subprocess.run(command("--faults"), capture_output=True, text=True, cwd=ROOT)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [name for name in FAULTS if f"\n{name} " not in ended.stdout] == []
    told = subprocess.run(command("--faults", "--json"), capture_output=True, text=True, cwd=ROOT)
    assert list(json.loads(told.stdout)["faults"]) == list(FAULTS)


def test_the_command_starts_with_the_faults_it_is_given() -> None:
    arguments = command(
        "--port", "0", "--stop-with-stdin", "--fault", "closed=page=entry", "--fault", "status_5xx=1,page=login"
    )
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        url = announced(process)
        assert "heures de service" in httpx.get(url).text
        assert httpx.get(url + "Script/14_06_01-02/pf_14_06_01_reglr.asp").status_code == 503
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
