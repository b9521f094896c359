"""What only folders can get wrong: half files, leftovers, power cuts."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO, Any

import pytest

from registre.errors import NotFound, Refused, StoreUnavailable
from registre.storage.local import LocalBuckets

CONTENT = b"%PDF-1.7 one"
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "document.pdf"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def buckets(tmp_path: Path) -> LocalBuckets:
    return LocalBuckets(tmp_path / "buckets")


def left(tmp_path: Path) -> list[str]:
    return sorted(f.name for f in (tmp_path / "buckets").rglob("*") if f.is_file())


def test_a_disk_that_is_full_leaves_nothing_behind(
    buckets: LocalBuckets, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as while_full:
        while_full.setattr("shutil.copyfileobj", full)
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="No space left"):
                buckets.put("index", "k.pdf", file, SHA)
    assert left(tmp_path) == []
    buckets.put("index", "k.pdf", file, SHA)
    assert left(tmp_path) == ["k.pdf"]


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="this system has only files with names")
def test_a_process_killed_while_it_copies_leaves_nothing_behind(
    buckets: LocalBuckets, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill would leave is what has a name while the copy is written."""
    seen: list[list[str]] = []

    def look(source: IO[bytes], copy: IO[bytes]) -> None:
        copy.write(source.read())
        seen.append(left(tmp_path))

    monkeypatch.setattr("shutil.copyfileobj", look)
    buckets.put("index", "k.pdf", file, SHA)
    assert seen == [[]]
    assert buckets.fetch("index", "k.pdf") == CONTENT


def test_a_file_system_without_nameless_files_has_buckets_too(
    buckets: LocalBuckets, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    buckets.put("index", "k.pdf", file, SHA)
    assert left(tmp_path) == ["k.pdf"]
    assert buckets.fetch("index", "k.pdf") == CONTENT


def test_a_damaged_source_leaves_nothing_behind(buckets: LocalBuckets, file: Path, tmp_path: Path) -> None:
    file.write_bytes(CONTENT[:-1])
    with pytest.raises(Refused):
        buckets.put("index", "k.pdf", file, SHA)
    assert left(tmp_path) == []


def test_file_and_name_are_on_the_disk_when_put_returns(
    buckets: LocalBuckets, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real_fsync, real_link = os.fsync, os.link

    def fsync(handle: int) -> None:
        done.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real_fsync(handle)

    def link(source: str, target: Path, **how: Any) -> None:
        done.append("link")
        real_link(source, target, **how)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "link", link)
    buckets.put("index", "k.pdf", file, SHA)
    assert len(done) == 4
    assert done[1:] == ["link", "index", "buckets"]
    done.clear()
    buckets.put("index", "k.pdf", file, SHA)
    assert done == ["index", "buckets"], "a repeat may follow a crash between the name and its sync"


def test_a_name_taken_between_the_look_and_the_link_is_compared(
    buckets: LocalBuckets, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "buckets" / "index" / "k.pdf"
    real_link = os.link

    def late(content: bytes) -> None:
        def link(source: str, name: Path, **how: Any) -> None:
            target.write_bytes(content)
            real_link(source, name, **how)

        monkeypatch.setattr(os, "link", link)

    late(CONTENT)
    buckets.put("index", "k.pdf", file, SHA)
    target.unlink()
    late(b"two")
    with pytest.raises(Refused):
        buckets.put("index", "k.pdf", file, SHA)
    assert target.read_bytes() == b"two"


def test_a_bucket_that_is_a_file_is_unavailable(buckets: LocalBuckets, file: Path, tmp_path: Path) -> None:
    (tmp_path / "buckets").mkdir()
    (tmp_path / "buckets" / "index").write_text("")
    with pytest.raises(StoreUnavailable):
        buckets.put("index", "k.pdf", file, SHA)
    with pytest.raises((NotFound, StoreUnavailable)):
        buckets.fetch("index", "k.pdf")


def test_only_their_owner_reads_the_documents(buckets: LocalBuckets, file: Path, tmp_path: Path) -> None:
    buckets.put("index", "k.pdf", file, SHA)
    assert (tmp_path / "buckets" / "index").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "buckets" / "index" / "k.pdf").stat().st_mode & 0o777 == 0o600
