"""Buckets of a Supabase project that fails, refuses or is not there: the document stays in its spool, and no key is told."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tenacity import wait_none

from registre.errors import NotFound, Refused, RegistreError, StoreUnavailable
from registre.project import Project, connected
from registre.storage.supabase import TRIES, SupabaseBuckets
from tests.supabase.server import EXPIRED_KEY, SECRET_KEY, StandIn
from tests.supabase.storage import StoredBucket

CONTENT = b"%PDF-1.7 one"
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def supabase() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def buckets(supabase: StandIn) -> Iterator[SupabaseBuckets]:
    with connected(supabase.project, answer_seconds=2) as client:
        yield SupabaseBuckets(client, between_tries=wait_none())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "k.pdf"
    path.write_bytes(CONTENT)
    return path


def test_a_bucket_that_is_missing_is_made_and_is_private(
    buckets: SupabaseBuckets, supabase: StandIn, file: Path
) -> None:
    buckets.put("index", "k.pdf", file, SHA)
    assert buckets.is_private("index")
    assert supabase.storage.buckets["index"].objects == {"k.pdf": (CONTENT, "application/pdf")}
    with pytest.raises(NotFound):
        buckets.is_private("actes")


def test_a_bucket_removed_meanwhile_is_made_again(buckets: SupabaseBuckets, supabase: StandIn, file: Path) -> None:
    buckets.put("index", "k.pdf", file, SHA)
    supabase.storage.buckets.clear()
    buckets.put("index", "k.pdf", file, SHA)
    assert buckets.fetch("index", "k.pdf") == CONTENT


def test_a_public_bucket_is_used_as_it_is_and_told_of_once(
    buckets: SupabaseBuckets, supabase: StandIn, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    supabase.storage.buckets["index"] = StoredBucket(public=True)
    with caplog.at_level(logging.WARNING):
        for key in ("a.pdf", "b.pdf"):
            buckets.put("index", key, file, SHA)
    assert [record.getMessage() for record in caplog.records if "is public" in record.getMessage()] != []
    assert caplog.text.count("is public") == 1
    assert supabase.storage.buckets["index"].public


def test_an_object_is_never_uploaded_over_another(buckets: SupabaseBuckets, supabase: StandIn, file: Path) -> None:
    supabase.storage.buckets["index"] = StoredBucket(objects={"k.pdf": (b"another purchase", "application/pdf")})
    with pytest.raises(Refused, match="already holds another document"):
        buckets.put("index", "k.pdf", file, SHA)
    assert buckets.fetch("index", "k.pdf") == b"another purchase"


@pytest.mark.parametrize("fault", [500, 503, 429, "cut"])
def test_what_passes_is_tried_again(buckets: SupabaseBuckets, supabase: StandIn, file: Path, fault: int | str) -> None:
    buckets.put("index", "first.pdf", file, SHA)
    supabase.faults.extend([fault] * (TRIES - 1))
    buckets.put("index", "k.pdf", file, SHA)
    assert buckets.fetch("index", "k.pdf") == CONTENT


def test_an_upload_whose_answer_was_lost_is_found_to_be_ours(
    buckets: SupabaseBuckets, supabase: StandIn, file: Path
) -> None:
    supabase.storage.buckets["index"] = StoredBucket()
    buckets.put("index", "first.pdf", file, SHA)
    supabase.faults.append(504)
    supabase.storage.buckets["index"].objects["k.pdf"] = (CONTENT, "application/pdf")
    buckets.put("index", "k.pdf", file, SHA)
    assert len(supabase.storage.buckets["index"].objects) == 2


@pytest.mark.parametrize("fault", [503, "cut", "html", 302])
def test_what_does_not_pass_is_unavailable_in_one_sentence(
    buckets: SupabaseBuckets, supabase: StandIn, file: Path, fault: int | str
) -> None:
    supabase.faults.extend([fault] * 20)
    with pytest.raises(StoreUnavailable) as caught:
        buckets.put("index", "k.pdf", file, SHA)
    assert "\n" not in caught.value.message
    supabase.faults.clear()
    buckets.put("index", "k.pdf", file, SHA)


def test_a_project_that_says_nothing_is_given_up_in_time(supabase: StandIn, file: Path) -> None:
    supabase.faults.extend(["silent"] * TRIES)
    with connected(supabase.project, answer_seconds=0.1) as client, pytest.raises(StoreUnavailable, match="timed out"):
        SupabaseBuckets(client, between_tries=wait_none()).put("index", "k.pdf", file, SHA)


def test_a_project_that_is_not_there_is_unavailable(file: Path) -> None:
    with connected(Project("http://127.0.0.1:1", SECRET_KEY)) as client, pytest.raises(StoreUnavailable) as caught:
        SupabaseBuckets(client, between_tries=wait_none()).put("index", "k.pdf", file, SHA)
    assert SECRET_KEY not in str(caught.value)


@pytest.mark.parametrize("key", ["sb_secret_sésame".encode().hex(), EXPIRED_KEY], ids=["unknown", "expired"])
def test_a_key_that_is_refused_is_a_sentence_without_the_key(supabase: StandIn, file: Path, key: str) -> None:
    with connected(supabase.with_key(key)) as client:
        buckets = SupabaseBuckets(client, between_tries=wait_none())
        for ask in (lambda: buckets.put("index", "k.pdf", file, SHA), lambda: buckets.fetch("index", "k.pdf")):
            with pytest.raises(StoreUnavailable, match="SUPABASE_SECRET_KEY") as caught:
                ask()
            assert key not in f"{caught.value} {caught.value!r} {caught.value.__cause__} {client.options!r}"[:200]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (StoredBucket(file_size_limit=4), "exceeded the maximum allowed size"),
        (StoredBucket(allowed_mime_types=["image/png"]), "mime type application/pdf is not supported"),
    ],
)
def test_what_the_buckets_limits_forbid_waits_for_a_person(
    buckets: SupabaseBuckets, supabase: StandIn, file: Path, limits: StoredBucket, said: str
) -> None:
    supabase.storage.buckets["index"] = limits
    with pytest.raises(StoreUnavailable, match=said):
        buckets.put("index", "k.pdf", file, SHA)


def test_a_document_that_arrives_damaged_is_taken_away_and_sent_again(
    buckets: SupabaseBuckets, supabase: StandIn, file: Path
) -> None:
    supabase.storage.damage.append(CONTENT[:5])
    with pytest.raises(StoreUnavailable, match="did not arrive as it was sent"):
        buckets.put("index", "k.pdf", file, SHA)
    with pytest.raises(NotFound):
        buckets.fetch("index", "k.pdf")
    buckets.put("index", "k.pdf", file, SHA)
    assert buckets.fetch("index", "k.pdf") == CONTENT


def test_a_probe_tries_every_bucket_and_leaves_nothing(buckets: SupabaseBuckets, supabase: StandIn) -> None:
    buckets.probe()
    assert {name: bucket.objects for name, bucket in supabase.storage.buckets.items()} == {
        "index": {},
        "actes": {},
        "plans-cadastraux": {},
    }
    supabase.storage.buckets["actes"].allowed_mime_types = ["image/png"]
    with pytest.raises(StoreUnavailable, match="actes does not take it"):
        buckets.probe()


def test_a_location_opens_the_document_without_the_key(buckets: SupabaseBuckets, file: Path) -> None:
    buckets.put("index", "k.pdf", file, SHA)
    location = buckets.location("index", "k.pdf")
    assert SECRET_KEY not in location
    assert httpx.get(location).content == CONTENT
    assert httpx.get(location[:-4] + "abcd").status_code == 400


def test_a_location_that_cannot_be_signed_is_still_told(buckets: SupabaseBuckets, supabase: StandIn) -> None:
    for fault in (None, *[503] * TRIES):
        if fault is not None:
            supabase.faults.append(fault)
    location = buckets.location("index", "k.pdf")
    assert location == f"{supabase.url}/storage/v1/object/authenticated/index/k.pdf"


def test_a_file_that_is_gone_is_unavailable(buckets: SupabaseBuckets, tmp_path: Path) -> None:
    with pytest.raises(RegistreError, match="cannot be read"):
        buckets.put("index", "k.pdf", tmp_path / "gone.pdf", SHA)


def test_the_key_is_shown_by_nothing(supabase: StandIn) -> None:
    assert SECRET_KEY not in f"{supabase.project} {supabase.project!r}"


def test_threads_share_one_connection_pool_of_http_1(supabase: StandIn) -> None:
    """On plain HTTP nothing shows that HTTP/2 is off, so the option itself is looked at."""
    with connected(Project("https://127.0.0.1:1", SECRET_KEY)) as client:
        pool = client.storage.session._transport._pool  # type: ignore[attr-defined]
        assert (pool._http1, pool._http2) == (True, False)
        assert client.storage.session is client.postgrest.session
    del supabase
