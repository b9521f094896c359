"""A host under supervisord, for real: it starts, is killed and comes back, is stopped in the middle of a purchase, and stays down
with its sentence when its configuration must be mended.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from benchmarks.supervisord.run import prove
from registre.cli.supervision import STOP_MARGIN_SECONDS, rendered
from registre.job import JobId, Status
from registre.settings import Settings
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.server import TwinServer
from registre.wiring import open_store
from tests.command import registre
from tests.processes import processes_of
from tests.redis_server import server
from tests.supervised import PATIENCE, PROGRAMS, WITH_BROKER, Host
from tests.waiting import until

ORDER = ("--circonscription", "Montréal", "--cadastre", "Cadastre du Québec")


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


@pytest.mark.timeout(200)
def test_a_database_that_is_away_at_start_is_waited_for_without_a_new_process_each_second(home: Path) -> None:
    with socket.socket() as nobody:  # bound, and nobody listens
        nobody.bind(("127.0.0.1", 0))
        address = f"postgresql://me:s3cret@127.0.0.1:{nobody.getsockname()[1]}/registre"
        host = Host(home, DATABASE_URL=address)
        try:
            until(
                lambda: all(host.log(program).count("Trying again") >= 2 for program in PROGRAMS),
                "they do not wait",
                PATIENCE,
            )
            for program in PROGRAMS:
                said = host.log(program)
                assert said.count("does not answer") == said.count("Trying again"), "one line for each look"
                assert "s3cret" not in said
            host.ask("stopAllProcesses")
            assert {host.state(program) for program in PROGRAMS} == {"STOPPED"}
        finally:
            host.close()


@pytest.mark.timeout(300)
def test_twenty_orders_while_each_program_is_killed_once() -> None:
    """`make proof-supervisord` in small."""
    outcome, _ = prove(seed=2, orders=20)
    assert outcome.breaches == []
    assert sorted(killing.program for killing in outcome.killings) == sorted(WITH_BROKER)


def test_with_a_broker_the_tasks_are_a_program_of_their_own(home: Path) -> None:
    path = f"{server().parent}{os.pathsep}{os.environ['PATH']}"
    url = "redis://127.0.0.1:6400/0"
    printed = registre(home, "supervisord", REGISTRE_BROKER_URL="amqp://me:s3cret@broker.example/").out
    read = ConfigParser(interpolation=None)
    read.read_string(printed)
    assert read["program:worker"]["command"].endswith("up --wait --no-api --no-tasks")
    assert read["program:tasks"]["command"].endswith("registre tasks --wait")
    assert int(read["program:tasks"]["priority"]) < int(read["program:worker"]["priority"]), "it is stopped after it"
    assert int(read["program:tasks"]["stopwaitsecs"]) > Settings().drain_seconds
    assert "s3cret" not in printed
    assert "program:redis" not in read
    read.read_string(registre(home, "supervisord", "--with-redis", REGISTRE_BROKER_URL=url, PATH=path).out)
    assert "--bind 127.0.0.1 --port 6400" in read["program:redis"]["command"]


@pytest.mark.parametrize("url", ["", "redis://:s3cret@127.0.0.1/0", "redis://cache.example/0", "amqp://127.0.0.1/"])
def test_a_redis_of_this_host_is_on_loopback_and_has_no_password(home: Path, url: str) -> None:
    said = registre(home, "supervisord", "--with-redis", REGISTRE_BROKER_URL=url)
    assert said.code == 78
    assert "--with-redis is for" in said.sentence
    assert "s3cret" not in said.err


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
