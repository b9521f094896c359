"""Buckets as folders of this machine: `<root>/<bucket>/<key>`.

Invariant: a name appears only when its content is whole; other content never replaces it. What `put` has returned from
survives a power cut.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from registre.errors import NotFound, Refused, StoreUnavailable
from registre.storage.names import check_names

PROBE = b"registre"


class LocalBuckets:
    """Implements `registre.ports.Bucket`. Thread- and process-safe: link refuses a name that exists."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, bucket: str, key: str, content: Path, sha256: str) -> None:
        target = self._path(bucket, key)
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            if target.exists():
                self._same(target, sha256, f"{target.name} already holds another document.")
            else:
                self._copy(content, target, sha256)
            # The new name too must be on the disk before anybody lets go of the original.
            for folder in (target.parent, self._root):
                _sync_folder(folder)
        except OSError as error:
            raise StoreUnavailable(f"The bucket {bucket} cannot be written: {error.strerror}.") from None

    def _copy(self, content: Path, target: Path, sha256: str) -> None:
        with _unseen(target.parent) as (copy, path):
            with content.open("rb") as source:
                shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
            self._same(path, sha256, "The file to store is not the one that was checked.")
            try:
                # Any descriptor makes it linkat, which follows /proc to the file; an absolute path needs no other.
                os.link(path, target, src_dir_fd=copy.fileno())
            except FileExistsError:
                self._same(target, sha256, f"{target.name} already holds another document.")

    def fetch(self, bucket: str, key: str) -> bytes:
        try:
            return self._path(bucket, key).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"There is no {bucket}/{key}.") from None
        except OSError as error:
            raise StoreUnavailable(f"The bucket {bucket} cannot be read: {error.strerror}.") from None

    def probe(self) -> None:
        place = self._root / f".probe-{secrets.token_hex(8)}"
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.write_bytes(PROBE)
            known = place.read_bytes()
            place.unlink()
        except OSError as error:
            raise StoreUnavailable(f"The buckets in {self._root} cannot be written: {error.strerror}.") from None
        if known != PROBE:
            raise StoreUnavailable(f"The buckets in {self._root} do not give back what was written.")

    def location(self, bucket: str, key: str) -> str:
        return str(self._path(bucket, key))

    def _path(self, bucket: str, key: str) -> Path:
        check_names(bucket, key)
        return self._root / bucket / key

    @staticmethod
    def _same(path: Path, sha256: str, otherwise: str) -> None:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise Refused(otherwise)


@contextmanager
def _unseen(folder: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A new file, and the path to link it by. It has no name where the system can, so that a kill leaves nothing of it."""
    descriptor = _open_nameless(folder)
    if descriptor is not None:
        with os.fdopen(descriptor, "w+b") as file:
            yield file, Path(f"/proc/self/fd/{descriptor}")
        return
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".") as named:
        yield named, Path(named.name)


def _open_nameless(folder: Path) -> int | None:
    """None on a system, or for a file system, that has only files with names."""
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not Path("/proc/self/fd").is_dir():
        return None
    with suppress(OSError):
        return os.open(folder, flag | os.O_RDWR, 0o600)
    return None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
