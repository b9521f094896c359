"""Evidence on disk: one folder for each distinct error, the newest examples of each, and never more bytes than allowed.

Invariant: after `prune` the whole folder holds at most the bytes allowed, whatever burst of errors filled it; a file that
somebody else removed meanwhile is no error.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from registre.document import fold
from registre.errors import LayoutChanged

KEPT_EXAMPLES = 5
"""Examples of one error that are kept; the sixth tells nothing new."""

MAX_BYTES = 200_000_000
"""What all evidence of a host may weigh, unless the caller says otherwise."""

_VARYING = re.compile(r"'[^']*'|‘[^’]*’|«[^»]*»|\"[^\"]*\"|\S*[0-9]\S*")
"""What differs between two examples of one error: what is quoted, and whatever holds a digit (numbers, ids, addresses)."""

_pruning = threading.Lock()


@dataclass(frozen=True, slots=True)
class Example:
    """One occurrence: a folder below its signature's, or a file that lies loose in the evidence folder."""

    path: Path
    signature: str
    at: int
    size: int


def signature(error: BaseException) -> str:
    """The folder's name for errors like this one: its class, its source and landmark or its sentence, and a short hash.

    Stable between runs and hosts: numbers, ids and quoted names in the sentence do not count.
    """
    kind = str(getattr(error, "kind", type(error).__name__))
    if isinstance(error, LayoutChanged) and error.landmark:
        about = f"{error.source or ''} {error.landmark}"
    else:
        about = _VARYING.sub("#", str(error))
    digest = hashlib.sha256(f"{type(error).__name__}|{kind}|{about}".encode("utf-8", "replace")).hexdigest()[:8]
    words = "-".join(fold(about).split())[:50].strip("-")
    return "-".join(part for part in (fold(kind).replace(" ", "_"), words, digest) if part)


def examples(root: Path) -> list[Example]:
    """Everything kept below `root`, the newest first; equal ages in the order of their paths."""
    found = [
        example
        for entry in _entries(root)
        for example in (
            [_example(path, entry.name) for path in _entries(entry)] if entry.is_dir() else [_example(entry, "")]
        )
        if example is not None
    ]
    return sorted(found, key=lambda e: (-e.at, str(e.path)))


def prune(root: Path, *, max_bytes: int = MAX_BYTES, keep: int = KEPT_EXAMPLES) -> list[Path]:
    """Remove all but the `keep` newest examples of each error, then the oldest until the rest fits; what was removed.

    The very newest is the last to go: too large by itself, it loses its largest files. Safe from any thread.
    """
    removed: list[Path] = []
    with _pruning:
        kept: list[Example] = []
        seen: dict[str, int] = {}
        for example in examples(root):
            seen[example.signature] = seen.get(example.signature, 0) + 1
            if example.signature and seen[example.signature] > keep:
                removed.append(_remove(example.path))
            else:
                kept.append(example)
        total = sum(example.size for example in kept)
        while total > max_bytes and len(kept) > 1:
            oldest = kept.pop()
            total -= oldest.size
            removed.append(_remove(oldest.path))
        if total > max_bytes and kept:
            removed += _lighten(kept[0].path, max_bytes)
        for entry in _entries(root):
            if entry.is_dir():
                with suppress(OSError):
                    entry.rmdir()  # only if nothing is left in it
    return removed


def _lighten(path: Path, max_bytes: int) -> list[Path]:
    files = sorted(((f, _size(f)) for f in _files(path)), key=lambda pair: -pair[1])
    total = sum(size for _, size in files)
    removed = []
    for file, size in files:
        if total <= max_bytes:
            break
        removed.append(_remove(file))
        total -= size
    return [*removed, _remove(path)] if len(removed) == len(files) and path.is_dir() else removed


def _example(path: Path, of: str) -> Example | None:
    """Its age is its newest file's: a folder grows younger when something is removed from it."""
    files = list(_files(path))
    try:
        at = max((file.stat().st_mtime_ns for file in files), default=path.stat().st_mtime_ns)
    except OSError:
        return None
    return Example(path, of, at, sum(map(_size, files)))


def _entries(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if not entry.is_symlink()]
    except OSError:
        return []


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for entry in _entries(path):
        yield from _files(entry)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _remove(path: Path) -> Path:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
    return path
