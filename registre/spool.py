"""The on-disk outbox: what was bought, until its bucket has it.

Invariant: a purchase has one folder, `incoming/<purchase>` while its document is being saved and `ready/<purchase>` from
the rename on; whatever is in `ready` is whole, fsynced, and described by its manifest. Nothing leaves before the ack, and
then by one more rename, so that no crash leaves half an entry.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from registre.document import BUCKETS, DocumentRequest, Source
from registre.errors import ConfigurationError, DocumentError, RegistreError, StoreUnavailable
from registre.ledger import PurchaseId, SecuredFile

log = logging.getLogger(__name__)

_DOCUMENT = "document.pdf"
_ORDER = "order.json"
_MANIFEST = "manifest.json"

ROOM_BYTES = 100_000_000
"""Free space below which nothing is bought: several of the largest documents at once."""


@dataclass(frozen=True, slots=True)
class SpoolEntry:
    """One bought document on this disk, ready to deliver."""

    purchase_id: PurchaseId
    path: Path
    file: SecuredFile
    bucket: str
    object_key: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A purchase whose saving was cut off: its file may still be whole."""

    purchase_id: PurchaseId
    path: Path
    request: DocumentRequest


class Spool:
    """The outbox of one host. Any thread; one process at a time may `own` it, any may deliver from it, even the same entry."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._ready = folder / "ready"
        self._held = folder / "held"
        self._done = folder / "done"

    def prepare(self) -> None:
        """Make the folders, readable by their owner only. ConfigurationError when the disk refuses; StoreUnavailable when it is
        full."""
        try:
            for folder in (self._folder, self._incoming, self._ready, self._held, self._done):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(f"The spool {self._folder} cannot be made", error) from None

    def identity(self) -> str:
        """What tells this spool from every other, whatever its host is called; made once. Only the owner may ask.
        StoreUnavailable when its disk is full."""
        kept = self._folder / "id"
        try:
            if not kept.exists():
                _write_synced(self._folder / "id.new", uuid4().hex.encode())
                (self._folder / "id.new").rename(kept)
            found = kept.read_text("ascii", errors="replace").strip()
        except OSError as error:
            raise _unusable(f"The spool {self._folder} cannot be used", error) from None
        if not re.fullmatch("[0-9a-f]{32}", found):
            raise ConfigurationError(f"{kept} does not hold the id of a spool: remove it.")
        return found

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Hold the host's lock: proof that no other worker of this host lives. ConfigurationError when one does;
        StoreUnavailable when the disk is full."""
        self.prepare()
        try:
            lock = (self._folder / "lock").open("w")
        except OSError as error:
            raise _unusable(f"The spool {self._folder} cannot be used", error) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConfigurationError(f"Another worker already runs with the spool {self._folder}.") from None
            for delivered in self._done.iterdir():
                shutil.rmtree(delivered, ignore_errors=True)
            yield

    def begin(self, purchase_id: PurchaseId, request: DocumentRequest, intended_at: datetime) -> Path:
        """Where to save the document. Written before the first paid click: a disk that is full refuses here, for free."""
        folder = self._incoming / purchase_id
        order = {"request": asdict(request), "intended_at": intended_at.isoformat()}
        try:
            if not self.has_room():
                raise StoreUnavailable(f"The spool's disk has less than {ROOM_BYTES // 1_000_000} MB left.")
            folder.mkdir(mode=0o700, exist_ok=True)
            _write_synced(folder / _ORDER, json.dumps(order).encode())
            _sync_folder(folder)
            _sync_folder(self._incoming)
        except OSError as error:
            raise StoreUnavailable(f"The spool's disk refuses to write: {error.strerror}.") from None
        return folder / _DOCUMENT

    def has_room(self) -> bool:
        """Whether its disk takes another document. StoreUnavailable when it does not answer."""
        return self.free_bytes() >= ROOM_BYTES

    def forget(self, purchase_id: PurchaseId) -> None:
        """Nothing was bought under this purchase."""
        shutil.rmtree(self._incoming / purchase_id, ignore_errors=True)

    def keep(self, purchase_id: PurchaseId, file: SecuredFile) -> SpoolEntry:
        """Make the saved document safe: fsync, manifest, rename. Afterwards a power cut loses nothing."""
        folder = self._incoming / purchase_id
        order = json.loads((folder / _ORDER).read_bytes())
        request = _request(order["request"])
        manifest = {
            "purchase_id": purchase_id,
            **asdict(file),
            "bucket": BUCKETS[request.source],
            "object_key": request.object_key(datetime.fromisoformat(order["intended_at"])),
        }
        try:
            with (folder / _DOCUMENT).open("rb") as document:
                os.fsync(document.fileno())
            _write_synced(folder / _MANIFEST, json.dumps(manifest).encode())
            _sync_folder(folder)
            folder.rename(self._ready / purchase_id)
            _sync_folder(self._ready)
            _sync_folder(self._incoming)
        except OSError as error:
            raise StoreUnavailable(f"The spool's disk refuses to keep the document: {error.strerror}.") from None
        return self._entry(self._ready / purchase_id)

    def entry(self, purchase_id: PurchaseId) -> SpoolEntry | None:
        """The entry, or None when it has been delivered already. DocumentError when its manifest is damaged."""
        folder = self._ready / purchase_id
        try:
            return self._entry(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            if not folder.is_dir():
                return None
            raise DocumentError(f"The manifest of {folder} cannot be read ({type(error).__name__}).") from None

    def free_bytes(self) -> int:
        """Of the spool's disk."""
        try:
            return shutil.disk_usage(self._folder).free
        except OSError as error:
            raise StoreUnavailable(f"The spool's disk does not answer: {error.strerror}.") from None

    def waiting(self) -> list[PurchaseId]:
        """All that waits for delivery, oldest first; another thread may be delivering some of it meanwhile."""
        found = []
        for folder in self._ready.iterdir() if self._ready.is_dir() else ():
            with suppress(FileNotFoundError):
                if folder.is_dir():
                    found.append((folder.stat().st_mtime, PurchaseId(folder.name)))
        return [purchase_id for _, purchase_id in sorted(found)]

    def interrupted(self) -> list[Interrupted]:
        """What a crash cut off between intent and rename. Only the owner may ask."""
        found = []
        for folder in sorted(f for f in self._incoming.iterdir() if f.is_dir()):
            purchase_id = PurchaseId(folder.name)
            try:
                request = _request(json.loads((folder / _ORDER).read_bytes())["request"])
            except (OSError, ValueError, KeyError, TypeError):
                # Nothing was clicked before the order was safe, so there is a document only if the disk lost the order.
                if (folder / _DOCUMENT).exists():
                    log.error(
                        "the order of purchase %s is lost; its document is kept in %s",
                        purchase_id,
                        self.hold(purchase_id),
                    )
                else:
                    self.forget(purchase_id)
                continue
            found.append(Interrupted(purchase_id, folder / _DOCUMENT, request))
        return found

    def delivered(self, purchase_id: PurchaseId) -> None:
        """The bucket has it and the row is closed: let go of the local copy."""
        with suppress(FileNotFoundError):
            # Away at once: an entry half removed by a crash would look damaged.
            (self._ready / purchase_id).rename(self._done / purchase_id)
        shutil.rmtree(self._done / purchase_id, ignore_errors=True)

    def hold(self, purchase_id: PurchaseId) -> Path:
        """Put aside, for a person, what cannot be delivered as the answer; never deleted by us."""
        target = self._held / purchase_id
        for folder in (self._ready / purchase_id, self._incoming / purchase_id):
            if folder.is_dir() and not target.exists():
                with suppress(FileNotFoundError):  # another process has put it aside, or delivered it
                    folder.rename(target)
        return target

    def _entry(self, folder: Path) -> SpoolEntry:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        return SpoolEntry(
            purchase_id=PurchaseId(manifest["purchase_id"]),
            path=folder / _DOCUMENT,
            file=SecuredFile(manifest["sha256"], manifest["size_bytes"], manifest["pages"]),
            bucket=manifest["bucket"],
            object_key=manifest["object_key"],
        )


def _unusable(what: str, error: OSError) -> RegistreError:
    """A full disk passes: a worker that gave up for good would leave its orders to a person."""
    kind = StoreUnavailable if error.errno in (errno.ENOSPC, errno.EDQUOT) else ConfigurationError
    return kind(f"{what}: {error.strerror}.")


def _request(fields: dict[str, Any]) -> DocumentRequest:
    return DocumentRequest(**{**fields, "source": Source(fields["source"])})


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
