"""`registre tasks` as a program: it delivers what a worker left in the spool, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from registre.document import DocumentRequest, Source
from registre.inspection import inspect_pdf
from registre.job import JobId, Order, Status
from registre.spool import Spool
from registre.wiring import Store
from tests.command import ENTRY
from tests.fakes import document_of
from tests.processes import environment, processes_of
from tests.waiting import until

LOT = DocumentRequest(Source.INDEX, "2784195", "Montréal", "Cadastre du Québec")
VISIBILITY = timedelta(minutes=1)


def bought_by_a_worker_that_died(store: Store, spool: Spool) -> JobId:
    """One document, safe in the spool; its worker died before it could say so to the ledger."""
    store.accounts.add("99T0001", "made up")
    [job] = store.queue.submit([Order(LOT)])
    [(seat, _)] = store.accounts.claim("host-a/1", 1, VISIBILITY)
    [lease] = store.queue.lease_next("host-a/1", [seat], VISIBILITY)
    intent = store.ledger.intend(lease, "host-a")
    assert intent.purchase_id is not None
    assert intent.intended_at is not None
    store.ledger.charge(intent.purchase_id, lease, [])
    spool.prepare()
    saved = spool.begin(intent.purchase_id, LOT, intent.intended_at)
    saved.write_bytes(document_of(LOT.number))
    spool.keep(intent.purchase_id, inspect_pdf(saved, LOT))
    return job


class Program:
    """A running `registre tasks`, and what it said."""

    def __init__(self, home: Path, *arguments: str, **settings: str) -> None:
        self._log = home.parent / "tasks.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*ENTRY, "tasks", *arguments], stderr=log, env=environment(home, **settings), cwd="/"
            )

    def said(self) -> str:
        return self._log.read_text("utf-8")

    def until_said(self, words: str) -> None:
        until(lambda: words in self.said(), f"it did not say '{words}'", 60)


@contextmanager
def tasks(home: Path, *arguments: str, **settings: str) -> Iterator[Program]:
    program = Program(home, *arguments, **settings)
    try:
        yield program
    finally:
        program.process.kill()
        program.process.wait()


@pytest.mark.parametrize("url", [None, "redis://127.0.0.1:9/0"])
def test_a_document_of_the_spool_is_delivered_with_and_without_a_broker(
    store: Store, dsn: str, tmp_path: Path, url: str | None
) -> None:
    home = tmp_path / "home"
    spool = Spool(home / "spool")
    job = bought_by_a_worker_that_died(store, spool)
    settings = {"DATABASE_URL": dsn, "REGISTRE_BUCKETS": str(tmp_path / "buckets"), "REGISTRE_HOST": "host-a"}
    with tasks(home, **settings, **({"REGISTRE_BROKER_URL": url} if url else {})) as program:
        program.until_said("ready")
        until(lambda: store.views.job(job).status is Status.DONE, "it is not delivered")
        assert len(list((tmp_path / "buckets").rglob("*.pdf"))) == 1
        program.process.send_signal(signal.SIGTERM)
        assert program.process.wait(30) == 0
        assert ("does not answer" in program.said()) is (url is not None)
        assert "Traceback" not in program.said()
    assert processes_of(home) == []
    assert spool.waiting() == []


def test_a_program_that_waits_for_its_database_says_so_and_ends_when_told(tmp_path: Path) -> None:
    with socket.socket() as nobody:  # bound, and nobody listens
        nobody.bind(("127.0.0.1", 0))
        address = f"postgresql://me:s3cret@127.0.0.1:{nobody.getsockname()[1]}/registre"
        with tasks(tmp_path / "home", "--wait", DATABASE_URL=address) as program:
            program.until_said("Trying again in")
            os.kill(program.process.pid, signal.SIGTERM)
            assert program.process.wait(10) == 0
            assert "s3cret" not in program.said()
            assert "Traceback" not in program.said()
