"""A host under supervisord, for real: it starts, is killed and comes back, is stopped in the middle of a purchase, and stays down
with its sentence when its configuration must be mended.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import pytest
from supervisor.xmlrpc import SupervisorTransport

from registre.cli.supervision import STOP_MARGIN_SECONDS, rendered
from registre.job import JobId, Status
from registre.settings import Settings
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.server import TwinServer
from registre.wiring import open_store
from tests.command import registre
from tests.processes import environment, processes_of
from tests.waiting import until

PATIENCE = 90.0
PROGRAMS = ("worker", "api")
ORDER = ("--circonscription", "Montréal", "--cadastre", "Cadastre du Québec")


class Host:
    """One host's programs under supervisord, with their own home and the twin in front of them."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.environment = environment(home, **settings)
        printed = subprocess.run(
            [sys.executable, "-m", "registre.cli", "supervisord"],
            env=self.environment,
            cwd=home,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.conf = home / "supervisord.conf"
        self.conf.write_text(printed)
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-n", "-c", str(self.conf)],
            env=self.environment,
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

        until(self._answers, "supervisord does not answer", PATIENCE)

    def ask(self, method: str, *arguments: object) -> Any:
        """A line of its own for each question: one that failed once answers nothing more."""
        line = SupervisorTransport(None, None, f"unix://{self.home}/supervisord.sock")
        with ServerProxy("http://127.0.0.1", transport=line) as proxy:
            return getattr(proxy.supervisor, method)(*arguments)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("getState")["statename"] == "RUNNING")
        except OSError:
            return False

    def state(self, program: str) -> str:
        return str(self.ask("getProcessInfo", program)["statename"])

    def pid(self, program: str) -> int:
        return int(self.ask("getProcessInfo", program)["pid"])

    def are_up_since(self, killed: Mapping[str, int]) -> bool:
        """Both run, in other processes than those."""
        return all(self.state(name) == "RUNNING" and self.pid(name) != killed.get(name) for name in PROGRAMS)

    def log(self, program: str) -> str:
        file = self.home / "log" / f"{program}.log"
        return file.read_text() if file.exists() else ""

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)


@pytest.fixture
def home() -> Iterator[Path]:
    """Short, as the path of a socket must be; and one that the database's own user may enter."""
    made = Path(tempfile.mkdtemp(prefix="rg-"))
    made.chmod(0o755)
    yield made
    until(lambda: processes_of(made) == [], "processes of the home are left", PATIENCE)
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def twin() -> Iterator[TwinServer]:
    with TwinServer(TwinConfig(accounts=dict(demo_accounts(1)), loading_seconds=2.0)) as server:
        yield server


@pytest.mark.timeout(400)
def test_a_killed_worker_comes_back_and_one_that_is_stopped_finishes_what_it_buys(home: Path, twin: TwinServer) -> None:
    host = Host(home, REGISTRY_BASE_URL=twin.base_url, REGISTRE_VISIBILITY_SECONDS="5")
    try:
        with open_store(Settings(home=home)) as store:
            [(name, password)] = demo_accounts(1)
            store.accounts.add(name, password)
            store.gates.set_rule("pace_seconds", 0, "a test")
            until(lambda: host.are_up_since({}), "it does not run", PATIENCE)
            until(lambda: "signed in" in host.log("worker"), "nobody signs in", PATIENCE)
            killed = {program: host.pid(program) for program in PROGRAMS}
            for pid in killed.values():
                os.kill(pid, signal.SIGKILL)
            until(lambda: host.are_up_since(killed), "they do not come back", PATIENCE)
            said = registre(home, "submit", "index", "--number", "2 784 195", *ORDER)
            job = JobId(said.out.strip())

            def kinds() -> list[str]:
                return [event.kind for event in store.views.story(job)]

            until(lambda: "purchase.intended" in kinds(), "it is not bought", PATIENCE)
            host.ask("stopProcess", "worker")
            assert store.views.job(job).status is Status.DONE
            assert kinds().count("purchase.intended") == 1
            assert len(twin.ledger()) == 1
            assert host.state("worker") == "STOPPED"
    finally:
        host.close()


@pytest.mark.timeout(200)
def test_a_configuration_that_must_be_mended_stays_down_with_its_sentence(home: Path) -> None:
    host = Host(home)
    try:
        # Not before: a signal between supervisord's fork and our program is taken by neither.
        until(lambda: "ready" in host.log("worker") and "api at" in host.log("api"), "they do not start", PATIENCE)
        host.ask("stopAllProcesses")
        (home / ".env").write_text("REGISTRE_MAX_SESSIONS=many\n")
        for program in PROGRAMS:
            host.ask("startProcess", program, False)  # it does not wait until it runs
            until(lambda program=program: host.state(program) == "EXITED", "it does not stay down", PATIENCE)  # type: ignore[misc]
            assert "REGISTRE_MAX_SESSIONS is wrong" in host.log(program)
            assert "Traceback" not in host.log(program)
    finally:
        host.close()


def test_the_one_at_the_root_is_that_of_a_host_without_settings() -> None:
    root = Path(__file__).parents[2]
    assert (root / "supervisord.conf").read_text() == rendered(
        registre="%(here)s/.venv/bin/registre",
        directory="%(here)s",
        home="/var/lib/registre",
        stop_seconds=int(Settings().drain_seconds) + STOP_MARGIN_SECONDS,
        environment="",
    )


def test_nothing_that_supervisord_would_read_otherwise_is_printed(home: Path, tmp_path: Path) -> None:
    odd = tmp_path / "100% sure"
    odd.mkdir()
    said = registre(odd, "supervisord")
    assert said.code == 78
    assert "cannot be written into" in said.err
