"""Buckets of a Supabase project, private, over its Storage API.

Invariant: nothing is ever uploaded over what is there, and `put` returns only after the whole object was read back and is the
one that was checked. What may be over in a moment is tried again here; what may be over later is StoreUnavailable, and the
document stays in its spool.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx
from storage3.exceptions import StorageApiError
from supabase import Client
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from tenacity.wait import wait_base

from registre.document import BUCKETS
from registre.errors import NotFound, Refused, StoreUnavailable
from registre.project import KEY_REFUSED, in_a_word
from registre.storage.names import check_names

log = logging.getLogger(__name__)

T = TypeVar("T")

TRIES = 3
SIGNED_SECONDS = 3600
PROBE = b"%PDF-1.7 registre"
_PASSING = frozenset(("408", "425", "429", "500", "502", "503", "504", "520", "521", "522", "523", "524", "544"))


class _Passing(StoreUnavailable):
    """May be over in a moment."""


class _Taken(Refused):
    """The name holds an object already; whose, only its content tells."""


class _Strange(StoreUnavailable):
    """What answered is not what was asked for."""


class _NoBucket(NotFound):
    """There is no such bucket yet."""


class SupabaseBuckets:
    """Implements `registre.ports.Bucket`. Thread-safe."""

    def __init__(self, client: Client, *, between_tries: wait_base | None = None) -> None:
        """The client stays its owner's to close."""
        self._client = client
        self._between_tries = between_tries or wait_random_exponential(multiplier=0.3, max=3)
        self._known: set[str] = set()

    def put(self, bucket: str, key: str, content: Path, sha256: str) -> None:
        check_names(bucket, key)
        try:
            document = content.read_bytes()
        except OSError as error:
            raise StoreUnavailable(f"The file for {bucket}/{key} cannot be read: {error.strerror}.") from None
        if hashlib.sha256(document).hexdigest() != sha256:
            raise Refused("The file to store is not the one that was checked.")
        self._make_sure_of(bucket)
        try:
            self._upload(bucket, key, document)
        except _Taken:
            # Perhaps by ourselves, in a try whose answer did not arrive.
            if self.fetch(bucket, key) != document:
                raise Refused(f"{key} already holds another document.") from None
            return
        if self.fetch(bucket, key) != document:
            # Ours, since nobody else's was there. Left, it would take the name from the next try.
            self._ask(bucket, lambda: self._client.storage.from_(bucket).remove([key]))
            raise StoreUnavailable(f"{bucket}/{key} did not arrive as it was sent.")

    def fetch(self, bucket: str, key: str) -> bytes:
        check_names(bucket, key)
        try:
            return self._ask(bucket, lambda: self._client.storage.from_(bucket).download(key))
        except NotFound:
            raise NotFound(f"There is no {bucket}/{key}.") from None

    def location(self, bucket: str, key: str) -> str:
        """An address that opens the document for an hour, for whoever has it; while Storage cannot sign one, the object's own,
        which needs the key."""
        check_names(bucket, key)
        try:
            signed = self._ask(
                bucket, lambda: self._client.storage.from_(bucket).create_signed_url(key, SIGNED_SECONDS)
            )
        except (NotFound, StoreUnavailable):
            return f"{self._client.storage_url}object/authenticated/{bucket}/{key}"
        return str(signed["signedURL"])

    def probe(self) -> None:
        """In each bucket that documents go to; made, if it is missing."""
        key = f"registre-probe-{secrets.token_hex(8)}.pdf"
        for bucket in BUCKETS.values():
            self._make_sure_of(bucket)
            self._upload(bucket, key, PROBE)
            known = self.fetch(bucket, key)
            self._ask(bucket, lambda: self._client.storage.from_(bucket).remove([key]))  # noqa: B023 - asked at once
            if known != PROBE:
                raise StoreUnavailable(f"The bucket {bucket} does not give back what was written.")

    def is_private(self, bucket: str) -> bool:
        """NotFound when there is no such bucket."""
        try:
            return not self._ask(bucket, lambda: self._client.storage.get_bucket(bucket)).public
        except NotFound:
            raise NotFound(f"There is no bucket {bucket}.") from None

    def _make_sure_of(self, bucket: str) -> None:
        """Once per process: make it, private, if it is missing. A public one that somebody made is used, and told of."""
        if bucket in self._known:
            return
        try:
            if not self.is_private(bucket):
                log.warning("the bucket %s is public: whoever guesses a name in it reads the document", bucket)
        except NotFound:
            self._create(bucket)
        except _Strange:  # no reason to hold a document back: the upload will tell
            return
        self._known.add(bucket)

    def _create(self, bucket: str) -> None:
        try:
            self._ask(bucket, lambda: self._client.storage.create_bucket(bucket, options={"public": False}))
        except _Taken:  # another host was first
            return

    def _upload(self, bucket: str, key: str, document: bytes) -> None:
        def upload() -> object:
            return self._client.storage.from_(bucket).upload(key, document, {"content-type": "application/pdf"})

        try:
            self._ask(bucket, upload)
        except _NoBucket:  # removed since we looked
            self._create(bucket)
            self._ask(bucket, upload)

    def _ask(self, bucket: str, call: Callable[[], T]) -> T:
        """Nothing asked here does harm when it is done twice."""
        patiently = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=self._between_tries,
            retry=retry_if_exception_type(_Passing),
            reraise=True,
        )
        return patiently(lambda: _translated(bucket, call))


def _translated(bucket: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except StorageApiError as error:
        raise _meaning(bucket, error) from None
    except httpx.HTTPError as error:
        raise _Passing(f"Supabase Storage does not answer: {in_a_word(error)}.") from None
    except (ValueError, KeyError, TypeError):
        raise _Strange("What answers at SUPABASE_URL is not Supabase Storage.") from None


def _meaning(bucket: str, error: StorageApiError) -> Exception:
    """By the status in the body, as most refusals come as HTTP 400."""
    status, said = str(error.status), (str(error.message).strip().splitlines() or [""])[0][:200].rstrip(".")
    if status in {"401", "403"} or error.code in {"InvalidJWT", "Unauthorized"}:
        return StoreUnavailable(f"{KEY_REFUSED}.")
    if status == "404":
        return _NoBucket(f"{said}.") if "Bucket not found" in (error.code, error.message) else NotFound(f"{said}.")
    if status == "409":
        return _Taken(f"{said}.")
    if status in _PASSING:
        return _Passing(f"Supabase Storage is away (status {status}).")
    # Also what the bucket's own limits forbid: a person may lift them, and the document waits.
    return StoreUnavailable(f"The bucket {bucket} does not take it: {said} (status {status}).")
