"""`registre up --twin` in one process and `registre submit` in another: the row is taken at once, and Ctrl-C leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from registre.job import JobId, Status
from registre.settings import Settings
from registre.wiring import open_store
from tests.command import ENTRY, registre
from tests.processes import environment, processes_of
from tests.tui.terminal import Terminal
from tests.waiting import until

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

STORY = [
    "job.submitted",
    "job.leased",
    "purchase.intended",
    "purchase.charged",
    "purchase.secured",
    "purchase.delivered",
    "job.completed",
]


class Up:
    """A running `registre up`, as a terminal runs it: alone in its process group, so that Ctrl-C reaches all of it."""

    def __init__(self, home: Path, log: Path, *arguments: str, **settings: str) -> None:
        self._log = log
        with log.open("wb") as err:
            self.process = subprocess.Popen(
                [*ENTRY, "up", *arguments],
                stdout=err,
                stderr=err,
                env=environment(home, **settings),
                cwd="/",
                start_new_session=True,
            )

    def said(self) -> str:
        return self._log.read_text("utf-8")

    def until_said(self, words: str) -> None:
        def said() -> bool:
            assert self.process.poll() is None, self.said()
            return words in self.said()

        until(said, f"registre up did not say '{words}': {self.said()}", 60)

    def press_ctrl_c(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)

    def code(self) -> int:
        return self.process.wait(60)


@contextmanager
def up(home: Path, log: Path, *arguments: str, **settings: str) -> Iterator[Up]:
    running = Up(home, log, *arguments, **settings)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()


def show(home: Path, order: str) -> Any:
    return registre(home, "jobs", "show", order, "--json").json


def until_completed(home: Path, order: str) -> None:
    settings = Settings(_env_file=None, home=home, database_url=None, pg_bin=None, buckets=None)
    with open_store(settings) as store:
        job = until(
            lambda: job if (job := store.views.job(JobId(order))).finished_at else None, "the order did not end", 60
        )
    assert job.status is Status.DONE, job.error_message


def test_an_order_of_another_process_is_taken_at_once_and_ctrl_c_leaves_nothing(
    public_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = public_home
    with up(home, tmp_path / "up.log", "--twin") as running:
        running.until_said("signed in")
        second = registre(home, "up", "--twin")
        assert second.code == 78
        assert "Another worker already runs" in second.err

        order = registre(home, *ORDER).out.strip()
        until_completed(home, order)
        running.until_said("api at ")
        [address], [key] = re.findall(r"api at (\S+)", running.said()), re.findall(r"keep it: (\S+)", running.said())
        told = httpx.get(f"{address}/api/extractions/{order}", headers={"X-API-Key": key}).json()
        assert told["status"] == "Complété"
        [api] = [child for child in psutil.Process(running.process.pid).children() if "api" in child.cmdline()]
        api.kill()
        job = show(home, order)
        assert job["status"] == "Complété"
        kinds = [event["kind"] for event in job["events"]]
        assert [kind for kind in kinds if kind != "job.step"] == STORY
        told = registre(home, "jobs", "show", order).out
        positions = [told.index(f" {kind} ") for kind in STORY]
        assert positions == sorted(positions)
        pickup = datetime.fromisoformat(job["started_at"]) - datetime.fromisoformat(job["created_at"])
        with capsys.disabled():
            print(f"[picked up in {pickup.total_seconds() * 1000:.0f} ms]", end=" ")  # noqa: T201 - a measured number
        path = home / "buckets" / job["supabase_path"]
        assert path.read_bytes().startswith(b"%PDF-")

        free = registre(
            home, "submit", "acte", "--number", "12 345 678", "--circonscription", "Montréal", "--acte-type", "Acte"
        )
        until(lambda: running.said().count("api at ") == 2, f"the API was not started again: {running.said()}")
        running.press_ctrl_c()
        assert running.code() == 0, running.said()
        assert "Traceback" not in running.said()
    until(lambda: processes_of(home) == [], f"outlived Ctrl-C: {processes_of(home)}")

    after = registre(home, "jobs", "list", "--json").json
    assert after["counts"]["En traitement"] == 0
    assert [a["state"] for a in registre(home, "accounts", "list", "--json").json] == ["free"] * 3
    with up(home, tmp_path / "again.log", "--twin", "--no-api") as running:
        running.until_said("signed in")
        until_completed(home, free.out.strip())
        running.process.send_signal(signal.SIGTERM)
        assert running.code() == 0, running.said()
    until(lambda: processes_of(home) == [], f"outlived SIGTERM: {processes_of(home)}")
    billed = (home / "twin-ledger.jsonl").read_text("utf-8")
    assert re.findall(r'"number_normalized": "(\d+)"', billed) == ["2784195", "12345678"]


def test_a_worker_killed_outright_leaves_no_process(public_home: Path, tmp_path: Path) -> None:
    with up(public_home, tmp_path / "up.log", "--twin") as running:
        running.until_said("signed in")
        names = {process.name() for process in psutil.Process(running.process.pid).children(recursive=True)}
        assert any("postgres" in name for name in names), names
        assert any("headless" in name or "chrom" in name for name in names), names
        running.process.kill()
        assert running.code() == -signal.SIGKILL
        until(lambda: processes_of(public_home) == [], f"outlived kill -9: {processes_of(public_home)}")


def test_up_with_the_dashboard_goes_on_when_that_is_left(public_home: Path) -> None:
    """The key it is opened with is in no log, and ends with it."""
    terminal = Terminal([*ENTRY, "up", "--twin", "--tui"], environment(public_home, REGISTRE_API_PORT="0"), (120, 30))
    try:
        terminal.until_shown("99T0001", "en direct", "● en session")
        terminal.press("q")
        terminal.until_shown("the dashboard is left, the fleet goes on")
        shown_once = re.findall(r"shown once, keep it: (registre_\S+)", terminal.text())
        assert len(shown_once) == 1
        job_id = registre(public_home, *ORDER).out.strip()
        until(
            lambda: registre(public_home, "jobs", "show", job_id, "--json").json["status"] == Status.DONE,
            "the fleet did not go on",
            60,
        )
        os.kill(terminal.process.pid, signal.SIGINT)
        assert terminal.code() == 0
        assert terminal.is_as_before()
        assert "Traceback" not in terminal.text()
    finally:
        terminal.close()
    log = (public_home / "up.log").read_text("utf-8")
    assert "signed in" in log
    assert "registre_" not in log
    first, passing = registre(public_home, "keys", "list", "--json").json
    assert (first["role"], first["revoked_at"], shown_once[0].split("_")[1]) == ("admin", None, first["prefix"])
    assert (passing["role"], passing["revoked_at"] is not None) == ("admin", True)
    assert processes_of(public_home) == []
