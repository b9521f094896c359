"""The system user PostgreSQL's programs run as, and how one of them is started.

Invariant: such a program sees nothing of our environment, and the kernel (Linux) ends it with whoever started it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registre.errors import ConfigurationError

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """The system user PostgreSQL runs as when we are root, which PostgreSQL refuses."""

    name: str
    uid: int
    gid: int

    def may_enter(self, folder: Path) -> bool:
        info = folder.stat()
        if info.st_uid == self.uid:
            return bool(info.st_mode & stat.S_IXUSR)
        if info.st_gid == self.gid:
            return bool(info.st_mode & stat.S_IXGRP)
        return bool(info.st_mode & stat.S_IXOTH)

    def first_closed(self, folder: Path) -> Path | None:
        """The outermost of `folder` and its parents that this account cannot enter."""
        return next((each for each in [*reversed(folder.parents), folder] if not self.may_enter(each)), None)


def choose_account(data: Path) -> Account | None:
    """None for an ordinary user; for root the owner of the data, else `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        try:
            name = pwd.getpwuid(owner.st_uid).pw_name
        except KeyError:
            name = f"number {owner.st_uid}"
        return Account(name, owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise ConfigurationError(
        "PostgreSQL refuses to run as root, and this machine has neither a user postgres nor nobody."
    )


def die_with(parent: int) -> None:
    """In the child before exec: ask the kernel for SIGQUIT when the keeper dies, and leave if it already has."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def spawn(
    arguments: Sequence[str | Path], account: Account | None, cwd: Path, **streams: Any
) -> subprocess.Popen[bytes]:
    """A child as the account, that dies with us, in a fixed environment: PGPORT or PGOPTIONS must not reach it."""
    parent = os.getpid()
    identity: dict[str, Any] = (
        {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": [account.gid]}
    )
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    return subprocess.Popen(
        [str(each) for each in arguments],
        cwd=cwd,
        env=environment,
        # a signal disposition and not threads' state is set here; only the waiting thread of `Keeper` may exist
        preexec_fn=lambda: die_with(parent),
        **identity,
        **streams,
    )


def run(
    arguments: Sequence[str | Path], account: Account | None, cwd: Path, text: bytes = b""
) -> tuple[int, list[str]]:
    with spawn(
        arguments, account, cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        output, _ = process.communicate(text)
    return process.returncode, output.decode("utf-8", "replace").splitlines()
