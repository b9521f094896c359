"""What a browser keeps on the disk, removed also after this process was killed.

Invariant: a folder is removed by its owner, or by anyone who gets its lock because the owner is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from pathlib import Path

_PREFIX = "registre-browser-"
_LOCK = "in-use"
_PROFILE = "profile"


class Scratch:
    """One browser's folder under the temporary directory: its downloads and artifacts, and where its profile is."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = (self.path / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Everything `remove` takes away."""
        return (self.path, *_profile_of(self.path))

    def adopt_profile(self, folder: Path) -> None:
        """Remember the profile Playwright made beside; it stays behind when the driver is killed."""
        (self.path / _PROFILE).write_text(str(folder), encoding="utf-8")

    def remove(self) -> None:
        _remove(self.path)
        self._lock.close()


def sweep() -> None:
    """Remove what processes left that are gone. Never raises for another's folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)


def _remove(folder: Path) -> None:
    for each in (*_profile_of(folder), folder):
        shutil.rmtree(each, ignore_errors=True)


def _profile_of(folder: Path) -> list[Path]:
    """The profile noted in the folder, if it is one of Playwright's in the temporary directory."""
    with contextlib.suppress(OSError):
        profile = Path((folder / _PROFILE).read_text(encoding="utf-8"))
        if profile.parent == Path(tempfile.gettempdir()) and profile.name.startswith("playwright_"):
            return [profile]
    return []
