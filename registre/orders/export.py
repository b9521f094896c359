"""A batch as a ZIP: its documents under names for people, and a manifest of all its orders.

Invariant: a document goes in only when its bytes are those that were bought, as far as the ledger can tell. The ZIP appears
whole or not at all, and replaces another only when asked to. One document is in memory at a time.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from registre.batch import BatchId
from registre.errors import InvalidInput, NotFound, Refused, RegistreError
from registre.job import JobFilter, JobView, Status
from registre.ledger import LedgerLine
from registre.orders.filenames import FileNames
from registre.orders.manifest import NAME, ManifestLine, Packed, manifest_line, render_manifest
from registre.orders.moments import LOCAL
from registre.ports import Bucket, Ledger, Views

PAGE = 500


@dataclass(frozen=True, slots=True)
class Exported:
    """What the ZIP holds. `amiss` are the delivered orders whose document could not go in."""

    lines: tuple[ManifestLine, ...]
    documents: int
    amiss: int


class Exporter:
    """Writes batches out. Reads only; not thread-safe."""

    def __init__(self, views: Views, ledger: Ledger, bucket: Bucket) -> None:
        self._views = views
        self._ledger = ledger
        self._bucket = bucket

    def orders(self, batch_id: BatchId, tell: Callable[[int], None] = lambda _: None) -> list[JobView]:
        """Every order of the batch, in the order in which they were given."""
        jobs: list[JobView] = []
        cursor = None
        while True:
            page = self._views.page(JobFilter(batch_id=batch_id), cursor, PAGE)
            jobs += page.jobs
            tell(len(jobs))
            cursor = page.next_cursor
            if cursor is None:
                return jobs[::-1]

    def write(
        self, jobs: list[JobView], target: Path, *, replace: bool, tell: Callable[[int], None] = lambda _: None
    ) -> Exported:
        """Write the ZIP. Refused when `target` exists; StoreUnavailable when the buckets are away."""
        if not replace and (target.exists() or target.is_symlink()):
            raise Refused(f"{target.name} exists already; --force replaces it.")
        with _appearing(target, replace=replace) as file, zipfile.ZipFile(file, "w") as archive:
            return self._fill(archive, jobs, tell)

    def _fill(self, archive: zipfile.ZipFile, jobs: list[JobView], tell: Callable[[int], None]) -> Exported:
        bought_at = self._purchases(
            [job.supabase_path for job in jobs if job.status is Status.DONE and job.supabase_path]
        )
        names = FileNames()
        outcomes: dict[str, Packed | str] = {}
        lines: list[ManifestLine] = []
        amiss = 0
        for number, job in enumerate(jobs, start=1):
            bought: LedgerLine | None = None
            outcome: Packed | str = _why_not(job)
            if job.status is Status.DONE and job.supabase_path:
                bought = bought_at.get(job.supabase_path)
                if job.supabase_path not in outcomes:
                    outcomes[job.supabase_path] = self._pack(archive, job, job.supabase_path, bought, names)
                outcome = outcomes[job.supabase_path]
                amiss += isinstance(outcome, str)
            own = bought if bought is not None and bought.job_id == job.id else None
            lines.append(manifest_line(number, job, own, bought, outcome))
            tell(number)
        archive.writestr(_entry(NAME, None), render_manifest(lines), zipfile.ZIP_DEFLATED)
        return Exported(tuple(lines), sum(isinstance(outcome, Packed) for outcome in outcomes.values()), amiss)

    def _purchases(self, paths: list[str]) -> dict[str, LedgerLine]:
        found: dict[str, LedgerLine] = {}
        for start in range(0, len(paths), PAGE):
            found |= self._ledger.delivered(paths[start : start + PAGE])
        return found

    def _pack(
        self, archive: zipfile.ZipFile, job: JobView, path: str, bought: LedgerLine | None, names: FileNames
    ) -> Packed | str:
        bucket, _, key = path.partition("/")
        try:
            content = self._bucket.fetch(bucket, key)
        except (NotFound, Refused) as error:
            return f"the document is not in its bucket: {error.message}"
        sha256 = hashlib.sha256(content).hexdigest()
        if bought is not None and sha256 != bought.sha256:
            return f"the document in its bucket ({path}) is not the one that was bought: its sha256 is {sha256}."
        name = names.name(job.request)
        archive.writestr(_entry(name, bought.charged_at if bought else job.finished_at), content)
        return Packed(name, sha256, len(content))


def _why_not(job: JobView) -> str:
    match job.status:
        case Status.FAILED:
            return f"{job.error_kind}: {job.error_message}" if job.error_message else str(job.error_kind)
        case Status.DONE:
            return "the order is closed, but no document is named."
        case _:
            return "not delivered yet."


def _entry(name: str, moment: datetime | None) -> zipfile.ZipInfo:
    # a ZIP knows no time zone and no year before 1980
    local = moment.astimezone(LOCAL).timetuple()[:6] if moment and moment.year > 1980 else (1980, 1, 1, 0, 0, 0)
    entry = zipfile.ZipInfo(name, local)
    entry.external_attr = 0o644 << 16
    return entry


@contextmanager
def _appearing(target: Path, *, replace: bool) -> Iterator[IO[bytes]]:
    """A file that takes the name `target` once it is whole and on the disk; nothing is left of it otherwise."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".partial")
    except OSError as error:
        raise InvalidInput("--output", f"nothing can be written into {target.parent}: {error.strerror}.") from None
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _name(partial, target, replace=replace)
    except OSError as error:
        raise RegistreError(f"{target.name} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _name(partial: Path, target: Path, *, replace: bool) -> None:
    if replace:
        partial.replace(target)
        return
    try:
        os.link(partial, target)  # unlike a renaming it refuses a name that was taken meanwhile
    except FileExistsError:
        raise Refused(f"{target.name} exists already; --force replaces it.") from None
    except OSError:  # a disk without links, such as a USB stick
        if target.exists():
            raise Refused(f"{target.name} exists already; --force replaces it.") from None
        partial.replace(target)
