"""The port `Bucket` in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Lock

from registre.errors import NotFound, Refused, StoreUnavailable
from registre.storage.names import check_names


class MemoryBucket:
    """Implements `registre.ports.Bucket`. Thread-safe."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], bytes] = {}
        self._lock = Lock()

    def put(self, bucket: str, key: str, content: Path, sha256: str) -> None:
        check_names(bucket, key)
        try:
            stored = content.read_bytes()
        except OSError as error:
            raise StoreUnavailable(f"The file for {bucket}/{key} cannot be read: {error.strerror}.") from None
        if hashlib.sha256(stored).hexdigest() != sha256:
            raise Refused(f"The file for {bucket}/{key} is not the one that was promised.")
        with self._lock:
            if self._objects.setdefault((bucket, key), stored) != stored:
                raise Refused(f"{key} already holds another document.")

    def fetch(self, bucket: str, key: str) -> bytes:
        check_names(bucket, key)
        with self._lock:
            if (bucket, key) not in self._objects:
                raise NotFound(f"There is no {bucket}/{key}.")
            return self._objects[bucket, key]

    def probe(self) -> None:
        pass  # nothing can be in its way

    def location(self, bucket: str, key: str) -> str:
        return f"memory:{bucket}/{key}"
