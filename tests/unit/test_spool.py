"""Whatever a crash leaves on the disk is delivered, held for a person, or worth nothing; never lost and never in the way."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

import registre.spool
from registre.document import DocumentRequest, Source
from registre.errors import ConfigurationError, DocumentError, StoreUnavailable
from registre.inspection import inspect_pdf
from registre.ledger import PurchaseId
from registre.spool import ROOM_BYTES, Spool
from tests.fakes import document_of

LOT = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", "Cadastre du Québec", "Rang « 2 »")
AT = datetime(2026, 3, 2, 15, 4, 5, 678_901, UTC)
P1, P2 = PurchaseId("11111111-aaaa"), PurchaseId("22222222-bbbb")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    return spool


def bought(spool: Spool, purchase: PurchaseId = P1) -> None:
    target = spool.begin(purchase, LOT, AT)
    target.write_bytes(document_of("2784195"))
    spool.keep(purchase, inspect_pdf(target, LOT))


def names(tmp_path: Path) -> list[str]:
    return sorted(str(f.relative_to(tmp_path / "spool")) for f in (tmp_path / "spool").rglob("*") if f.is_file())


def test_a_kept_document_waits_for_delivery_with_all_that_is_needed(spool: Spool, tmp_path: Path) -> None:
    bought(spool)
    assert spool.waiting() == [P1]
    entry = spool.entry(P1)
    assert entry is not None
    assert (entry.bucket, entry.object_key) == ("index", LOT.object_key(AT))
    assert entry.path.read_bytes() == document_of("2784195")
    assert entry.file == inspect_pdf(entry.path, LOT)
    assert spool.interrupted() == []
    assert names(tmp_path) == [f"ready/{P1}/{n}" for n in ("document.pdf", "manifest.json", "order.json")]


def test_the_object_key_is_the_purchases_whenever_it_is_kept(spool: Spool) -> None:
    bought(spool)
    bought(spool, P2)
    first, second = spool.entry(P1), spool.entry(P2)
    assert first is not None
    assert second is not None
    assert first.object_key == second.object_key == "2784195-Montreal-Cadastre_du_Quebec-1772463845678.pdf"


def test_a_delivered_document_is_gone_and_may_be_said_so_again(spool: Spool, tmp_path: Path) -> None:
    bought(spool)
    for _ in range(2):
        spool.delivered(P1)
    assert spool.entry(P1) is None
    assert names(tmp_path) == []


def test_a_removal_cut_off_half_way_is_no_entry_and_is_swept_at_the_next_start(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bought(spool)
    with monkeypatch.context() as crash:
        crash.setattr(shutil, "rmtree", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            spool.delivered(P1)
    assert spool.waiting() == []
    assert names(tmp_path) != []
    with spool.owned():
        assert names(tmp_path) == ["lock"]


def test_documents_wait_oldest_first_and_stray_files_are_none(spool: Spool, tmp_path: Path) -> None:
    bought(spool, P2)
    bought(spool, P1)
    ready = tmp_path / "spool" / "ready"
    os.utime(ready / P1, (2_000_000_000, 2_000_000_000))
    os.utime(ready / P2, (1_000_000_000, 1_000_000_000))
    (ready / ".DS_Store").write_text("")
    assert spool.waiting() == [P2, P1]


def test_a_damaged_manifest_is_said_to_be_damaged_and_hides_no_other_entry(spool: Spool, tmp_path: Path) -> None:
    bought(spool, P1)
    bought(spool, P2)
    for damage in (b"", b"{", b"[]", b'{"purchase_id": 1}'):
        (tmp_path / "spool" / "ready" / P1 / "manifest.json").write_bytes(damage)
        with pytest.raises(DocumentError):
            spool.entry(P1)
    assert set(spool.waiting()) == {P1, P2}
    assert spool.entry(P2) is not None


def test_an_interrupted_saving_is_found_with_its_order(spool: Spool) -> None:
    spool.begin(P1, LOT, AT).write_bytes(b"%PDF-1.7 half")
    [found] = spool.interrupted()
    assert (found.purchase_id, found.request) == (P1, LOT)
    assert found.path.read_bytes() == b"%PDF-1.7 half"
    assert spool.waiting() == [], "it is not ready"


def test_an_order_lost_by_the_disk_leaves_its_document_to_a_person(spool: Spool, tmp_path: Path) -> None:
    spool.begin(P1, LOT, AT).write_bytes(document_of("2784195"))
    (tmp_path / "spool" / "incoming" / P1 / "order.json").write_bytes(b"")
    spool.begin(P2, LOT, AT)
    (tmp_path / "spool" / "incoming" / P2 / "order.json").unlink()
    (tmp_path / "spool" / "incoming" / ".DS_Store").write_text("")
    assert spool.interrupted() == []
    assert (tmp_path / "spool" / "held" / P1 / "document.pdf").read_bytes() == document_of("2784195")
    assert not (tmp_path / "spool" / "incoming" / P2).exists(), "nothing was bought before its order was safe"


def test_what_is_held_is_never_deleted(spool: Spool, tmp_path: Path) -> None:
    bought(spool)
    where = spool.hold(P1)
    for _ in range(2):
        assert spool.hold(P1) == where
        spool.delivered(P1)
        spool.forget(P1)
    assert (where / "document.pdf").exists()
    assert where.is_relative_to(tmp_path / "spool" / "held")


def test_a_purchase_that_came_to_nothing_leaves_nothing(spool: Spool, tmp_path: Path) -> None:
    spool.begin(P1, LOT, AT)
    spool.forget(P1)
    assert names(tmp_path) == []


def test_a_disk_without_room_refuses_before_anything_is_bought(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=ROOM_BYTES - 1))
    with pytest.raises(StoreUnavailable, match="less than 100 MB"):
        spool.begin(P1, LOT, AT)
    assert names(tmp_path) == []


@pytest.mark.parametrize("failing", ["_write_synced", "_sync_folder"])
def test_a_disk_that_refuses_to_write_refuses_before_anything_is_bought(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"registre.spool.{failing}", full)
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        spool.begin(P1, LOT, AT)


def test_a_disk_that_refuses_to_keep_leaves_the_document_where_recovery_finds_it(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = spool.begin(P1, LOT, AT)
    target.write_bytes(document_of("2784195"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as while_full:
        while_full.setattr("registre.spool._write_synced", full)
        with pytest.raises(StoreUnavailable):
            spool.keep(P1, inspect_pdf(target, LOT))
    [found] = spool.interrupted()
    spool.keep(P1, inspect_pdf(found.path, found.request))
    assert spool.waiting() == [P1]


def test_everything_is_on_the_disk_before_the_rename(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    target = spool.begin(P1, LOT, AT)
    target.write_bytes(document_of("2784195"))
    synced: list[str] = []
    real_fsync, real_rename = os.fsync, Path.rename

    def fsync(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real_fsync(handle)

    def rename(self: Path, to: Path) -> Path:
        synced.append("rename")
        return real_rename(self, to)

    monkeypatch.setattr("os.fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    spool.keep(P1, inspect_pdf(target, LOT))
    before, after = synced[: synced.index("rename")], synced[synced.index("rename") + 1 :]
    assert set(before) == {"document.pdf", "manifest.json", P1}
    assert set(after) == {"ready", "incoming"}


def hold_the_lock(
    folder: Path, held: multiprocessing.synchronize.Event, end: multiprocessing.synchronize.Event
) -> None:
    with Spool(folder).owned():
        held.set()
        end.wait(30)


def test_one_worker_owns_the_spool_of_a_host_and_its_death_frees_it(spool: Spool, tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    held, end = spawn.Event(), spawn.Event()
    other = spawn.Process(target=hold_the_lock, args=(tmp_path / "spool", held, end))
    other.start()
    assert held.wait(30)
    with pytest.raises(ConfigurationError, match="Another worker"), spool.owned():
        pass
    other.kill()
    other.join(30)
    other.close()
    with spool.owned():
        pass


def test_nobody_else_may_read_the_spool(spool: Spool, tmp_path: Path) -> None:
    bought(spool)
    folders = [tmp_path / "spool", *(f for f in (tmp_path / "spool").rglob("*") if f.is_dir())]
    assert {f.stat().st_mode & 0o777 for f in folders} == {0o700}


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be made"):
        Spool(tmp_path / "file" / "spool").prepare()


def test_a_manifest_says_nothing_but_what_delivery_needs(spool: Spool, tmp_path: Path) -> None:
    bought(spool)
    manifest = json.loads((tmp_path / "spool" / "ready" / P1 / "manifest.json").read_bytes())
    assert set(manifest) == {"purchase_id", "sha256", "size_bytes", "pages", "bucket", "object_key"}


def test_a_spool_has_an_id_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    one, other = Spool(tmp_path / "one"), Spool(tmp_path / "other")
    for spool in (one, other):
        spool.prepare()
    assert one.identity() == Spool(tmp_path / "one").identity() != other.identity()
    (tmp_path / "one" / "id").write_text("")
    with pytest.raises(ConfigurationError, match="remove it"):
        one.identity()


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, StoreUnavailable), (errno.EDQUOT, StoreUnavailable), (errno.EROFS, ConfigurationError)],
)
def test_a_disk_that_is_full_at_start_passes_and_one_that_takes_nothing_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    spool = Spool(tmp_path / "spool")
    monkeypatch.setattr(registre.spool, "_write_synced", refuse)
    with pytest.raises(kind, match="cannot be used"), spool.owned():
        spool.identity()
    monkeypatch.undo()
    with spool.owned():
        assert spool.identity()
