"""The API beside a worker: killed, it comes back; told nothing but its configuration to mend, it is given up."""

from __future__ import annotations

import logging
import os
import signal
import socket
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
import pytest

from registre.cli import api_beside
from registre.cli.api_beside import ApiBeside
from tests.waiting import until


@pytest.fixture
def address(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where an API of the environment will listen."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in {"DATABASE_URL": dsn, "REGISTRE_HOME": str(tmp_path), "REGISTRE_API_PORT": str(port)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(api_beside, "AGAIN", timedelta(milliseconds=50))
    monkeypatch.chdir(tmp_path)
    return f"http://127.0.0.1:{port}"


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health").status_code == 200
    except httpx.HTTPError:
        return False


def test_one_that_is_killed_is_started_again_and_the_last_one_ends_with_us(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with ApiBeside() as beside:
        until(lambda: answers(address), "the API did not start")
        first = beside.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        until(lambda: beside.pid not in (None, first) and answers(address), "the API did not come back")
        last = beside.pid
    assert last is not None
    assert not psutil.pid_exists(last)
    assert not answers(address)
    [said] = [record.message for record in caplog.records if record.name == "registre.cli.api_beside"]
    assert "the API has ended, killed by SIGKILL; it is started again in" in said


def test_one_whose_configuration_must_be_mended_is_given_up_with_a_sentence(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTRE_API_HOST", "nowhere.example")
    with caplog.at_level(logging.WARNING), ApiBeside() as beside:
        until(lambda: beside.is_given_up, "the API was not given up")
        assert beside.pid is None
    [said] = [record.message for record in caplog.records if record.name == "registre.cli.api_beside"]
    assert "configuration must be mended" in said
    assert capfd.readouterr().err.count("'nowhere.example' is none") == 1


def test_one_that_cannot_start_now_is_tried_again(address: str, caplog: pytest.LogCaptureFixture) -> None:
    port = int(address.rpartition(":")[2])
    with socket.socket() as taken, ApiBeside() as beside:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        until(lambda: "with exit code 75" in caplog.text, "it was not said that the port is taken")
        taken.close()
        until(lambda: answers(address), "the API did not start once the port was free")
        assert not beside.is_given_up
