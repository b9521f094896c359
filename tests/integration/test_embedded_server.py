"""The embedded PostgreSQL lives exactly as long as somebody uses it, whoever is killed and in what order."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
import pytest

from registre.database import server as server_module
from registre.database.binaries import choose_binaries, packaged_binaries
from registre.database.children import choose_account
from registre.database.cluster import Cluster, Folders, ready_cluster
from registre.database.server import EmbeddedServer, ServerAddress, lockable, read_address
from registre.errors import ConfigurationError, DatabaseUnavailable

PROJECT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0
PATIENCE_SECONDS = 60  # for what comes in a blink unless the machine is very busy

USER_PROGRAM = """
import sys
from pathlib import Path
from registre.database.server import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1])) as server:
    print(server.address.dsn, server.address.keeper_pid, flush=True)
    sys.stdin.read()
"""


def folder_in_memory() -> Path | None:
    """Where a sync costs nothing, if there is room: on a busy disk the syncs of one initdb take up to 8 s."""
    memory = Path("/dev/shm")
    if memory.is_dir() and not os.statvfs(memory).f_flag & os.ST_NOEXEC and shutil.disk_usage(memory).free > 10**9:
        return memory
    return None


@contextmanager
def private_folder() -> Iterator[Path]:
    # not tmp_path: root's is below a folder that the server's own user may not enter
    folder = Path(tempfile.mkdtemp(prefix="registre-test-", dir=folder_in_memory()))
    try:
        yield folder
        expect_nothing_left(folder)
    finally:
        for process in processes_of(folder):
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_home() -> Iterator[Path]:
    with private_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def made_home() -> Iterator[Path]:
    """A home whose cluster was made where an earlier making had been interrupted."""
    with private_folder() as folder:
        (Folders(folder).root / "data.new" / "base").mkdir(parents=True)
        with EmbeddedServer(folder):
            pass
        yield folder


@pytest.fixture
def home(made_home: Path) -> Iterator[Path]:
    """The home of this module, which every test leaves usable: copying its 50 MB takes longer than most tests."""
    yield made_home
    expect_nothing_left(made_home)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing waits as long as it takes: what follows it here must not depend on how busy the machine is."""
    monkeypatch.setattr(server_module, "CLOSE_SECONDS", PATIENCE_SECONDS)


@contextmanager
def serving(home: Path, binaries: Path | None = None) -> Iterator[ServerAddress]:
    with EmbeddedServer(home, binaries=binaries) as server:
        assert server.address is not None
        yield server.address


def processes_of(home: Path) -> list[psutil.Process]:
    """The keeper and the postgres processes of a home: by working folder, which only the living have."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if Path(process.cwd()).is_relative_to(home):
                found.append(process)
    return found


def wait_until(condition: Callable[[], object], otherwise: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, otherwise
        time.sleep(0.02)


def expect_nothing_left(home: Path) -> None:
    wait_until(lambda: not processes_of(home), "a process of the embedded server was left behind")


def sql(dsn: str, command: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(command.encode())
        return cursor.fetchall() if cursor.description else []


class User:
    """Another process that uses the server until its standard input is closed."""

    def __init__(self, home: Path, python: str = sys.executable, **options: Any) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), *filter(None, sys.path)])}
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [python, "-c", USER_PROGRAM, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            **options,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def address(self) -> tuple[str, int]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().split()
        assert line, "the other process ended without a server"
        return line[0], int(line[1])

    def finish(self) -> int:
        self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE_SECONDS)


def test_closing_leaves_nothing_running_and_the_data_stays(home: Path) -> None:
    server = EmbeddedServer(home)
    dsn = server.start()
    sql(dsn, "drop table if exists kept; create table kept as select 7 as seven")
    assert server.start() == dsn
    server.close()
    server.close()
    assert processes_of(home) == []
    assert read_address(home) is None
    with serving(home) as again:
        assert again.dsn == dsn, "the port stays, so that clients of a restarted server find it again"
        assert sql(again.dsn, "select seven from kept") == [(7,)]


def test_the_server_is_durable_utf8_and_asks_for_its_password(home: Path) -> None:
    with serving(home) as address:
        shown = sql(
            address.dsn,
            "select current_setting('fsync'), current_setting('server_encoding'), current_setting('data_checksums'), "
            "current_setting('listen_addresses'), current_setting('unix_socket_directories'), current_database()",
        )
        assert shown == [("on", "UTF8", "on", "127.0.0.1", "", "registre")]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(address.dsn.replace(address.password, "wrong"))
        for private in (Folders(home).connection, Folders(home).password):
            assert private.stat().st_mode & 0o777 == 0o600


def test_a_second_process_uses_the_same_server_and_the_last_one_ends_it(home: Path) -> None:
    server = EmbeddedServer(home)
    dsn = server.start()
    with User(home) as other:
        assert other.address()[0] == dsn
        server.close()
        assert sql(dsn, "select 1") == [(1,)], "the other process still uses it"
        assert other.finish() == 0
    expect_nothing_left(home)


def test_killing_the_only_user_leaves_no_postgres(home: Path) -> None:
    with User(home) as user, psycopg.connect(user.address()[0]):
        user.kill()
        expect_nothing_left(home)


def test_killing_the_keeper_leaves_no_postgres_and_the_next_start_recovers(home: Path) -> None:
    with EmbeddedServer(home) as server:
        assert server.address is not None
        dsn = server.address.dsn
        sql(dsn, "drop table if exists kept; create table kept as select generate_series(1, 1000) as n")
        os.kill(server.address.keeper_pid, signal.SIGKILL)
        expect_nothing_left(home)
        assert server.start() == dsn
        assert sql(dsn, "select count(*) from kept") == [(1000,)]


def test_a_killed_postgres_is_started_again_on_the_same_port(home: Path) -> None:
    with serving(home) as address:
        sql(address.dsn, "drop table if exists kept; create table kept as select 7 as seven")
        first = int((Folders(home).data / "postmaster.pid").read_text().split()[0])
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: not psutil.pid_exists(first) and address.answers(), "the keeper did not start it again")
        assert sql(address.dsn, "select seven from kept") == [(7,)]


def test_a_start_while_the_keeper_is_stopping_waits_and_starts_another(home: Path) -> None:
    folders = Folders(home)
    with EmbeddedServer(home) as server:
        for _ in range(2):
            assert server.address is not None
            keeper = server.address.keeper_pid
            with User(home) as user:
                user.address()
                server.close()
            wait_until(
                lambda: not lockable(folders.users_lock, fcntl.LOCK_SH) or lockable(folders.keeper_lock, fcntl.LOCK_SH),
                "the keeper did not begin to stop",
            )
            assert sql(server.start(), "select 1") == [(1,)]
            assert server.address is not None
            assert server.address.keeper_pid != keeper


def test_four_processes_starting_at_once_make_one_cluster_and_share_its_server(new_home: Path) -> None:
    with ExitStack() as stack:
        users = [stack.enter_context(User(new_home)) for _ in range(4)]
        addresses = {user.address() for user in users}
        assert len(addresses) == 1
        assert [user.finish() for user in users] == [0, 0, 0, 0]


def test_users_killed_while_their_keeper_is_starting_do_not_disturb_the_next(home: Path) -> None:
    folders = Folders(home)
    moments: list[Callable[[], object]] = [
        lambda: not lockable(folders.start_lock, fcntl.LOCK_SH),
        lambda: not lockable(folders.keeper_lock, fcntl.LOCK_SH),
        lambda: (folders.data / "postmaster.pid").exists(),
    ]
    for moment in moments:
        with User(home):
            wait_until(moment, "the other process did not begin")
        with serving(home) as address:
            assert address.answers()


def test_a_second_keeper_leaves_the_server_to_the_first(home: Path) -> None:
    with serving(home) as address:
        command = [sys.executable, "-m", "registre.database.keeper", str(home)]
        second = subprocess.run(command, capture_output=True, cwd=PROJECT, check=False)
        assert (second.returncode, second.stdout) == (0, b'{"other": "yes"}')
        assert address.answers()


def test_a_lock_file_left_with_another_programs_number_does_not_stop_the_start(home: Path) -> None:
    left = Folders(home).data / "postmaster.pid"
    left.write_text(f"{os.getppid()}\n{left.parent}\n")
    shutil.chown(left, left.parent.stat().st_uid)
    with serving(home) as address:
        assert address.answers()


def test_an_interrupted_creation_is_begun_again(home: Path) -> None:
    assert not (Folders(home).root / "data.new").exists()
    with serving(home) as address:
        assert address.answers()


def test_a_lost_password_is_replaced(home: Path) -> None:
    with serving(home) as address:
        old = address.password
    Folders(home).password.unlink()
    with serving(home) as address:
        assert address.password != old
        assert address.password == Folders(home).password.read_text().strip()


def test_an_interrupted_replacement_of_the_password_is_begun_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Folders(home).password.unlink()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Cluster, "change_password", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ready_cluster(Folders(home), None)
    with serving(home) as address:
        assert address.answers()


def test_the_packaged_binaries_serve_and_their_data_finds_them_again(new_home: Path) -> None:
    packaged = max(packaged_binaries(), key=lambda each: each.major)
    with serving(new_home, packaged.folder) as address:
        assert str(sql(address.dsn, "show server_version_num")[0][0]).startswith(str(packaged.major))
    assert choose_binaries(None, {}, packaged.major).major == packaged.major


def test_data_of_a_version_nobody_has_is_one_sentence(new_home: Path) -> None:
    data = Folders(new_home).data
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(ConfigurationError, match="of version 14"):
        EmbeddedServer(new_home).start()


def test_a_folder_without_postgres_is_one_sentence(new_home: Path) -> None:
    with pytest.raises(ConfigurationError, match="no working postgres and initdb"):
        EmbeddedServer(new_home, binaries=new_home).start()


def test_a_home_that_is_a_file_is_one_sentence(new_home: Path) -> None:
    (new_home / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be used"):
        EmbeddedServer(new_home / "file").start()


def test_damaged_data_is_one_sentence_that_names_the_log(home: Path) -> None:
    control = Folders(home).data / "global" / "pg_control"
    away = control.rename(home / "away")
    try:
        with pytest.raises(DatabaseUnavailable, match=r"could not start: .*pg_control.* \(its log is in "):
            EmbeddedServer(home).start()
    finally:
        away.rename(control)


@pytest.mark.skipif(not AS_ROOT, reason="only root can make files its own")
def test_data_that_root_copied_is_given_back_to_the_servers_user(home: Path) -> None:
    data = Folders(home).data
    for each in [data, *data.rglob("*")]:
        os.chown(each, 0, 0)
    with serving(home) as address:
        assert address.answers()
    assert 0 not in {each.stat().st_uid for each in [data, *data.rglob("*")]}


@pytest.mark.skipif(not AS_ROOT, reason="only root starts the server as another user")
def test_root_runs_the_server_as_another_user_under_a_private_home(home: Path) -> None:
    with EmbeddedServer(home):
        account = choose_account(Folders(home).data)
        assert account is not None
        postmaster = int((Folders(home).data / "postmaster.pid").read_text().split()[0])
        assert psutil.Process(postmaster).uids().real == account.uid
    assert home.stat().st_mode & 0o777 == 0o701, "made private; to be entered now, and not listed"


@pytest.mark.skipif(not AS_ROOT, reason="only root starts the server as another user")
def test_root_is_told_when_the_server_could_not_reach_its_home(new_home: Path) -> None:
    closed = new_home / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match=r"may not enter .*set REGISTRE_HOME"):
        EmbeddedServer(closed / "registre").start()
    assert closed.stat().st_mode & 0o777 == 0o700, "what is above the home is not ours to change"


@pytest.mark.skipif(not AS_ROOT, reason="only root can become another user")
def test_an_ordinary_user_runs_a_server(new_home: Path) -> None:
    nobody = 65534
    identity: dict[str, Any] = {"user": nobody, "group": nobody, "extra_groups": [], "cwd": "/"}
    new_home.chmod(0o711)
    own = new_home / "own"
    own.mkdir()
    os.chown(own, nobody, nobody)
    candidates = (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")
    python = next((each for each in candidates if runs(each, identity)), None)
    if python is None:
        pytest.skip("no Python of this version that an ordinary user may run")
    with User(own, python, **identity) as user:
        dsn, keeper = user.address()
        assert sql(dsn, "select 1") == [(1,)]
        assert psutil.Process(keeper).uids().real == nobody
        assert user.finish() == 0


def runs(python: str, identity: dict[str, Any]) -> bool:
    program = f"import sys; sys.path[:0] = {[str(PROJECT), *filter(None, sys.path)]!r}; import psycopg, registre.errors"
    with suppress(OSError):
        return subprocess.run([python, "-c", program], capture_output=True, check=False, **identity).returncode == 0
    return False
