"""Buckets as folders of this machine: `<root>/<bucket>/<key>`.

Invariant: a name appears only when its content is whole; other content never replaces it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from registre.errors import NotFound, Refused, StoreUnavailable


class LocalBuckets:
    """Implements `registre.ports.Bucket`. Thread- and process-safe: link refuses a name that exists."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, bucket: str, key: str, content: Path, sha256: str) -> None:
        target = self._path(bucket, key)
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if target.exists():
                self._same(target, sha256)
                return
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as copy:
                with content.open("rb") as source:
                    shutil.copyfileobj(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
            try:
                self._same(Path(copy.name), sha256)
                os.link(copy.name, target)
            except FileExistsError:
                self._same(target, sha256)
            finally:
                Path(copy.name).unlink()
        except OSError as error:
            raise StoreUnavailable(f"The bucket {bucket} cannot be written: {error.strerror}.") from None

    def fetch(self, bucket: str, key: str) -> bytes:
        try:
            return self._path(bucket, key).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"There is no {bucket}/{key}.") from None

    def location(self, bucket: str, key: str) -> str:
        return str(self._path(bucket, key))

    def _path(self, bucket: str, key: str) -> Path:
        if not key or "/" in key or "\\" in key or key in {".", ".."} or not key.isascii():
            raise Refused(f"'{key}' is not an object name.")
        return self._root / bucket / key

    @staticmethod
    def _same(path: Path, sha256: str) -> None:
        if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            raise Refused(f"{path.name} already holds another document.")
