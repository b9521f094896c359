"""The embedded PostgreSQL lives exactly as long as somebody uses it, whoever is killed and in what order."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from registre.database.keeper import Folders, choose_account, choose_binaries, packaged_binaries
from registre.database.server import EmbeddedServer, read_address
from registre.errors import ConfigurationError, DatabaseUnavailable

PROJECT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0

USER_PROGRAM = """
import sys
from pathlib import Path
from registre.database.server import EmbeddedServer
with EmbeddedServer(Path(sys.argv[1])) as server:
    print(server.address.dsn, server.address.keeper_pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    # not tmp_path: root's is below a folder that the server's own user may not enter
    folder = Path(tempfile.mkdtemp(prefix="registre-test-"))
    yield folder
    wait_until(lambda: not processes_of(folder), "a process of the embedded server was left behind")
    shutil.rmtree(folder)


def processes_of(home: Path) -> list[psutil.Process]:
    """The keeper and the postgres processes of a home: by working folder, which only the living have."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(home / "postgres"):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def wait_until(condition: Callable[[], object], otherwise: str, seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, otherwise
        time.sleep(0.02)


def sql(dsn: str, command: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(command.encode())
        return cursor.fetchall() if cursor.description else []


class User:
    """Another process that uses the server until its standard input is closed."""

    def __init__(self, home: Path, python: str = sys.executable, **options: object) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), *filter(None, sys.path)])}
        self.process = subprocess.Popen(  # type: ignore[call-overload]
            [python, "-c", USER_PROGRAM, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            **options,
        )

    def address(self) -> tuple[str, int]:
        line = self.process.stdout.readline().split()
        assert line, "the other process ended without a server"
        return line[0], int(line[1])

    def finish(self) -> int:
        self.process.communicate(timeout=30)
        return int(self.process.returncode)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


def test_closing_leaves_nothing_running_and_the_data_stays(home: Path) -> None:
    server = EmbeddedServer(home)
    dsn = server.start()
    sql(dsn, "create table kept as select 7 as seven")
    assert server.start() == dsn
    server.close()
    server.close()
    assert processes_of(home) == []
    assert read_address(home) is None
    with EmbeddedServer(home) as again:
        assert again.address is not None
        assert again.address.dsn == dsn, "the port stays, so that clients of a restarted server find it again"
        assert sql(again.address.dsn, "select seven from kept") == [(7,)]


def test_the_server_is_durable_utf8_and_asks_for_its_password(home: Path) -> None:
    with EmbeddedServer(home) as server:
        assert server.address is not None
        shown = sql(
            server.address.dsn,
            "select current_setting('fsync'), current_setting('server_encoding'), current_setting('data_checksums'), "
            "current_setting('listen_addresses'), current_setting('unix_socket_directories'), current_database()",
        )
        assert shown == [("on", "UTF8", "on", "127.0.0.1", "", "registre")]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.address.dsn.replace(server.address.password, "wrong"))
        folders = Folders(home)
        for private in (folders.connection, folders.password):
            assert private.stat().st_mode & 0o777 == 0o600


def test_a_second_process_uses_the_same_server_and_the_last_one_ends_it(home: Path) -> None:
    server = EmbeddedServer(home)
    dsn = server.start()
    other = User(home)
    assert other.address()[0] == dsn
    server.close()
    assert sql(dsn, "select 1") == [(1,)], "the other process still uses it"
    assert other.finish() == 0
    assert processes_of(home) == []


def test_killing_the_only_user_leaves_no_postgres(home: Path) -> None:
    user = User(home)
    dsn, _ = user.address()
    client = psycopg.connect(dsn)
    user.kill()
    wait_until(lambda: not processes_of(home), "postgres outlived its only user")
    client.close()


def test_killing_the_keeper_leaves_no_postgres_and_the_next_start_recovers(home: Path) -> None:
    server = EmbeddedServer(home)
    dsn = server.start()
    assert server.address is not None
    sql(dsn, "create table kept as select generate_series(1, 1000) as n")
    os.kill(server.address.keeper_pid, signal.SIGKILL)
    wait_until(lambda: not processes_of(home), "postgres outlived its keeper")
    assert server.start() == dsn
    assert sql(dsn, "select count(*) from kept") == [(1000,)]
    server.close()


def test_a_killed_postgres_is_started_again_on_the_same_port(home: Path) -> None:
    with EmbeddedServer(home) as server:
        assert server.address is not None
        sql(server.address.dsn, "create table kept as select 7 as seven")
        first = int((Folders(home).data / "postmaster.pid").read_text().split()[0])
        os.kill(first, signal.SIGKILL)

        def answers_anew() -> bool:
            try:
                return server.address is not None and sql(server.address.dsn, "select seven from kept") == [(7,)]
            except psycopg.OperationalError:
                return False

        wait_until(lambda: not psutil.pid_exists(first) and answers_anew(), "the keeper did not start postgres again")


def test_a_start_while_the_keeper_is_stopping_waits_and_starts_another(home: Path) -> None:
    server = EmbeddedServer(home)
    server.start()
    assert server.address is not None
    keeper = server.address.keeper_pid
    for _ in range(3):
        user = User(home)
        user.address()
        server.close()
        user.kill()
        assert sql(server.start(), "select 1") == [(1,)]
    assert server.address is not None
    assert server.address.keeper_pid != keeper
    server.close()


def test_four_processes_starting_at_once_share_one_server(home: Path) -> None:
    users = [User(home) for _ in range(4)]
    addresses = {user.address() for user in users}
    assert len(addresses) == 1
    assert [user.finish() for user in users] == [0, 0, 0, 0]
    assert processes_of(home) == []


def test_users_killed_while_their_keeper_is_starting_do_not_disturb_the_next(home: Path) -> None:
    for _ in range(4):
        user = User(home)
        wait_until(lambda: Folders(home).start_lock.exists(), "the other process did not begin")
        user.kill()
        with EmbeddedServer(home) as server:
            assert server.address is not None
            assert server.address.answers()


def test_a_second_keeper_leaves_the_server_to_the_first(home: Path) -> None:
    with EmbeddedServer(home) as server:
        second = subprocess.run(
            [sys.executable, "-m", "registre.database.keeper", home],
            capture_output=True,
            cwd=PROJECT,
            timeout=30,
            check=False,
        )
        assert (second.returncode, second.stdout) == (0, b'{"other": "yes"}')
        assert server.address is not None
        assert server.address.answers()


def test_a_lock_file_left_with_another_programs_number_does_not_stop_the_start(home: Path) -> None:
    with EmbeddedServer(home):
        pass
    left = Folders(home).data / "postmaster.pid"
    left.write_text(f"{os.getppid()}\n{left.parent}\n")
    shutil.chown(left, left.parent.stat().st_uid)
    with EmbeddedServer(home) as server:
        assert server.address is not None
        assert server.address.answers()


def test_an_interrupted_creation_is_begun_again(home: Path) -> None:
    half = Folders(home).root / "data.new" / "base"
    half.mkdir(parents=True)
    with EmbeddedServer(home) as server:
        assert server.address is not None
        assert server.address.answers()
    assert not half.exists()


def test_a_lost_password_is_replaced(home: Path) -> None:
    with EmbeddedServer(home) as server:
        assert server.address is not None
        old = server.address.password
    Folders(home).password.unlink()
    with EmbeddedServer(home) as server:
        assert server.address is not None
        assert server.address.password != old


def test_the_packaged_binaries_serve_and_their_data_finds_them_again(home: Path) -> None:
    packaged = max(packaged_binaries(), key=lambda each: each.major)
    with EmbeddedServer(home, binaries=packaged.folder) as server:
        assert server.address is not None
        assert (
            sql(server.address.dsn, "show server_version_num")[0][0] == f"{packaged.major}0004" or packaged.major != 18
        )
    assert choose_binaries(None, {}, packaged.major).major == packaged.major


def test_data_of_a_version_nobody_has_is_one_sentence(home: Path) -> None:
    data = Folders(home).data
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(ConfigurationError, match="of version 14"):
        EmbeddedServer(home).start()


def test_a_folder_without_postgres_is_one_sentence(home: Path) -> None:
    with pytest.raises(ConfigurationError, match="no working postgres and initdb"):
        EmbeddedServer(home, binaries=home).start()


def test_a_home_that_is_a_file_is_one_sentence(home: Path) -> None:
    blocked = home / "file"
    blocked.write_text("")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        EmbeddedServer(blocked).start()


def test_damaged_data_is_one_sentence_that_names_the_log(home: Path) -> None:
    with EmbeddedServer(home):
        pass
    (Folders(home).data / "global" / "pg_control").unlink()
    with pytest.raises(DatabaseUnavailable, match=r"could not start: .*pg_control.* \(its log is in "):
        EmbeddedServer(home).start()


@pytest.mark.skipif(not AS_ROOT, reason="only root starts the server as another user")
def test_root_runs_the_server_as_another_user_under_a_private_home(home: Path) -> None:
    assert home.stat().st_mode & 0o777 == 0o700
    with EmbeddedServer(home):
        account = choose_account(Folders(home).data)
        assert account is not None
        servers = [each for each in processes_of(home) if "postgres" in each.name()]
        assert servers
        assert {each.uids().real for each in servers} == {account.uid}
    assert home.stat().st_mode & 0o777 == 0o701, "entered and not listed"


@pytest.mark.skipif(not AS_ROOT, reason="only root starts the server as another user")
def test_root_is_told_when_the_server_could_not_reach_its_home(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match=r"may not enter .*set REGISTRE_HOME"):
        EmbeddedServer(closed / "registre").start()
    assert closed.stat().st_mode & 0o777 == 0o700, "what is above the home is not ours to change"


@pytest.mark.skipif(not AS_ROOT, reason="only root can become another user")
def test_an_ordinary_user_runs_a_server(home: Path) -> None:
    nobody = 65534
    identity = {"user": nobody, "group": nobody, "extra_groups": [], "cwd": "/"}
    home.chmod(0o711)
    own = home / "own"
    own.mkdir()
    os.chown(own, nobody, nobody)
    python = next(
        (each for each in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}") if runs(each, identity)), None
    )
    if python is None:
        pytest.skip("no Python of this version that an ordinary user may run")
    user = User(own, python, **identity)
    dsn, keeper = user.address()
    assert sql(dsn, "select 1") == [(1,)]
    assert psutil.Process(keeper).uids().real == nobody
    assert user.finish() == 0
    assert processes_of(own) == []


def runs(python: str, identity: dict[str, object]) -> bool:
    program = f"import sys; sys.path[:0] = {[str(PROJECT), *filter(None, sys.path)]!r}; import psycopg, registre.errors"
    try:
        tried = subprocess.run([python, "-c", program], capture_output=True, check=False, **identity)  # type: ignore[call-overload]
    except OSError:
        return False
    return bool(tried.returncode == 0)
