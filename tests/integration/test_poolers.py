"""Behind a transaction pooler nothing is heard and all else works: told by the address, found out where it does not tell."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from queue import SimpleQueue

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from registre.database import schema
from registre.database.address import Route
from registre.database.gateway import DirectGateway
from registre.job import Order
from registre.wiring import make_store
from tests.contract.test_stores import ACTE, FILE, LOT, MINUTE, OWNER
from tests.memory.bucket import MemoryBucket
from tests.waiting import SECONDS, until

CHANNELS = ("registre_jobs", "registre_events")
NOTIFICATION = b"A"


class Mute:
    """A relay in front of the database that leaves notices out, as poolers do, and everything else as it is."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._to)
                for run, one, other in ((self._forward, client, server), (self._filter, server, client)):
                    threading.Thread(target=run, args=(one, other), daemon=True).start()

    @staticmethod
    def _forward(source: socket.socket, target: socket.socket) -> None:
        with closing(source), closing(target), suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)

    @staticmethod
    def _filter(source: socket.socket, target: socket.socket) -> None:
        """Message by message: a letter, the length with itself, the rest."""
        with closing(source), closing(target), suppress(OSError, struct.error), source.makefile("rb") as stream:
            while kind := stream.read(1):
                length = stream.read(4)
                rest = stream.read(struct.unpack("!I", length)[0] - 4)
                if kind != NOTIFICATION:
                    target.sendall(kind + length + rest)


@pytest.fixture
def muted_dsn(dsn: str) -> Iterator[str]:
    parts = conninfo_to_dict(dsn)
    mute = Mute(str(parts["host"]), int(str(parts["port"])))
    # A question for encryption is answered by a single letter, which is no message.
    yield make_conninfo(dsn, port=str(mute.port), sslmode="disable", gssencmode="disable")
    mute.close()


def test_where_no_notice_comes_through_it_is_found_out(muted_dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    with DirectGateway(muted_dsn) as gateway:
        assert gateway.route is Route.DIRECT, "nothing in the address tells"
        assert not gateway.hears()
        bell: SimpleQueue[str] = SimpleQueue()
        stop = gateway.listen(CHANNELS, lambda channel, _: bell.put(channel))
        assert [bell.get(timeout=SECONDS) for _ in CHANNELS] == list(CHANNELS), (
            "who listens is told to look all the same"
        )
        until(lambda: "no notice comes through" in caplog.text, "it is not told")
        stop()


def test_where_notices_come_through_that_is_found_out_too(gateway: DirectGateway) -> None:
    assert gateway.hears()


@pytest.mark.parametrize("word", ["?pgbouncer=true", "?pgbouncer=true&connection_limit=1"])
def test_an_address_that_tells_of_a_pooler_is_never_listened_at(dsn: str, word: str) -> None:
    parts = conninfo_to_dict(dsn)
    address = (
        f"postgresql://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}{word}"
    )
    with DirectGateway(address) as gateway, psycopg.connect(dsn, autocommit=True) as other:
        assert (gateway.route, gateway.hears()) == (Route.TRANSACTION_POOLER, False)
        bell: SimpleQueue[str] = SimpleQueue()
        gateway.listen(CHANNELS, lambda channel, _: bell.put(channel))()
        assert [bell.get(timeout=SECONDS) for _ in CHANNELS] == list(CHANNELS)
        gateway.call("count_jobs")
        asked = other.execute("select query from pg_stat_activity where datname = current_database()").fetchall()
        assert not [query for (query,) in asked if query.lower().startswith("listen")]


# -- the real thing, where the machine has one

INI = """[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 2
logfile =
pidfile = {folder}/pid
"""


@pytest.fixture
def pooled_dsn(empty_dsn: str) -> Iterator[str]:
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip(
            "pgbouncer is not installed: no real transaction pooler was tried, only a relay that leaves notices out"
        )
    parts = conninfo_to_dict(empty_dsn)
    with socket.create_server(("127.0.0.1", 0)) as free:
        own_port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="registre-pgbouncer-"))
    (folder / "users").write_text(f'"{parts["user"]}" "{parts["password"]}"\n')
    (folder / "pgbouncer.ini").write_text(
        INI.format(host=parts["host"], port=parts["port"], own_port=own_port, folder=folder)
    )
    account = None
    if os.geteuid() == 0:
        account = "nobody"  # it will not run as root
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, account)
    with subprocess.Popen([program, "-q", folder / "pgbouncer.ini"], user=account, stderr=subprocess.PIPE) as pooler:
        try:
            until(lambda: _answers(own_port), "pgbouncer does not listen")
            yield make_conninfo(empty_dsn, port=str(own_port))
        finally:
            pooler.terminate()
    shutil.rmtree(folder)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_a_whole_life_through_a_real_transaction_pooler(pooled_dsn: str) -> None:
    with DirectGateway(pooled_dsn) as gateway:
        assert schema.upgrade(gateway)[-1] == "functions"
        assert not gateway.hears()
        store = make_store(gateway, MemoryBucket())
        store.gates.set_rule("pace_seconds", 0, "a test")
        for request in (ACTE, LOT) * 4:  # more often than it takes a driver to prepare a statement
            store.queue.submit([Order(request, fresh=True)])
        store.accounts.add("99X9999", "secret")
        [(seat, _)] = store.accounts.claim(OWNER, 5, MINUTE)
        for _ in range(2):
            [given] = store.queue.lease_next(OWNER, [seat], MINUTE)
            intent = store.ledger.intend(given, "host-a")
            assert intent.purchase_id is not None
            store.ledger.charge(intent.purchase_id, given, [])
            store.ledger.secure(intent.purchase_id, FILE)
        with psycopg.connect(pooled_dsn, autocommit=True, prepare_threshold=None) as connection:
            [(prepared,)] = connection.execute("select count(*) from pg_prepared_statements").fetchall()
        assert prepared == 0
