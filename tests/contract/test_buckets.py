"""What every bucket promises, whichever it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tenacity import wait_none

from registre.errors import NotFound, Refused, StoreUnavailable
from registre.ports import Bucket
from registre.project import connected
from registre.storage.local import LocalBuckets
from registre.storage.supabase import SupabaseBuckets
from tests.memory.bucket import MemoryBucket
from tests.supabase.server import StandIn


@pytest.fixture(params=["memory", "local", "supabase"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bucket]:
    match request.param:
        case "memory":
            yield MemoryBucket()
        case "local":
            yield LocalBuckets(tmp_path / "buckets")
        case _:
            with StandIn() as stand_in, connected(stand_in.project) as client:
                yield SupabaseBuckets(client, between_tries=wait_none())


def a_file(folder: Path, content: bytes) -> tuple[Path, str]:
    path = folder / hashlib.sha256(content).hexdigest()[:8]
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_what_was_put_is_fetched(bucket: Bucket, tmp_path: Path) -> None:
    path, sha256 = a_file(tmp_path, b"%PDF-1.7 one")
    bucket.put("index", "2784195-Montreal-1.pdf", path, sha256)
    assert bucket.fetch("index", "2784195-Montreal-1.pdf") == b"%PDF-1.7 one"
    assert "2784195-Montreal-1.pdf" in bucket.location("index", "2784195-Montreal-1.pdf")


def test_the_same_content_may_be_put_again(bucket: Bucket, tmp_path: Path) -> None:
    path, sha256 = a_file(tmp_path, b"one")
    for _ in range(3):
        bucket.put("index", "k.pdf", path, sha256)
    assert bucket.fetch("index", "k.pdf") == b"one"


def test_other_content_never_replaces_what_is_there(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("index", "k.pdf", *a_file(tmp_path, b"one"))
    with pytest.raises(Refused):
        bucket.put("index", "k.pdf", *a_file(tmp_path, b"two"))
    assert bucket.fetch("index", "k.pdf") == b"one"


def test_a_file_that_is_not_what_was_checked_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    path, _ = a_file(tmp_path, b"one")
    with pytest.raises(Refused):
        bucket.put("index", "k.pdf", path, "0" * 64)
    with pytest.raises(NotFound):
        bucket.fetch("index", "k.pdf")


def test_the_same_key_in_two_buckets_names_two_documents(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("index", "k.pdf", *a_file(tmp_path, b"one"))
    bucket.put("plans-cadastraux", "k.pdf", *a_file(tmp_path, b"two"))
    assert bucket.fetch("index", "k.pdf") == b"one"
    assert bucket.fetch("plans-cadastraux", "k.pdf") == b"two"


@pytest.mark.parametrize(
    "key", ["", ".", "..", "../k.pdf", "a/b.pdf", "a\\b.pdf", "Montréal.pdf", ".hidden", "a\x00b", "k" * 300]
)
def test_a_key_that_is_no_name_is_refused(bucket: Bucket, tmp_path: Path, key: str) -> None:
    path, sha256 = a_file(tmp_path, b"one")
    for names in (("index", key), (key, "k.pdf")):
        with pytest.raises(Refused):
            bucket.put(*names, path, sha256)
        with pytest.raises(Refused):
            bucket.fetch(*names)


def test_a_probe_leaves_nothing(bucket: Bucket, tmp_path: Path) -> None:
    bucket.probe()
    bucket.put("index", "k.pdf", *a_file(tmp_path, b"one"))
    bucket.probe()
    assert bucket.fetch("index", "k.pdf") == b"one"
    kept = [path.name for path in (tmp_path / "buckets").rglob("*") if path.is_file()]
    assert kept in ([], ["k.pdf"])


def test_a_bucket_that_cannot_be_written_says_so_when_probed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable):
        LocalBuckets(tmp_path / "file" / "buckets").probe()
