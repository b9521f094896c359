"""The processes behind a browser: found, killed and waited for.

Invariant: only processes found below our own driver or browser are ever signalled.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil


def children() -> list[psutil.Process]:
    """This process's own children."""
    with contextlib.suppress(psutil.Error):
        return psutil.Process().children()
    return []


def is_driver(process: psutil.Process) -> bool:
    """True for a Playwright driver."""
    with contextlib.suppress(psutil.Error):
        return "run-driver" in process.cmdline()
    return False


def is_alive(process: psutil.Process) -> bool:
    """True while it runs or is stopped; a zombie is dead, whoever fails to reap it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def with_descendants(roots: Iterable[psutil.Process]) -> list[psutil.Process]:
    """The processes and all they started, each once."""
    found: dict[int, psutil.Process] = {}
    for root in roots:
        with contextlib.suppress(psutil.Error):
            if root.is_running():
                found |= {p.pid: p for p in (root, *root.children(recursive=True))}
    return list(found.values())


def kill(processes: list[psutil.Process], patience_seconds: float) -> None:
    """Kill them all and wait until they are dead. Blocks; a process that is not ours to kill is left."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    if hasattr(os, "pidfd_open"):
        _await_deaths([p.pid for p in processes if is_alive(p)], patience_seconds)
    else:
        psutil.wait_procs(processes, patience_seconds)


def _await_deaths(pids: list[int], patience_seconds: float) -> None:
    """By pidfd, which also tells the death of a zombie nobody reaps (psutil would wait for its reaping)."""
    deadline = time.monotonic() + patience_seconds
    for pid in pids:
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(pid)
            try:
                poll = select.poll()
                poll.register(descriptor, select.POLLIN)
                poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
            finally:
                os.close(descriptor)


def on_death(processes: Iterable[psutil.Process], call: Callable[[], None]) -> Callable[[], None]:
    """Call, once and on the running loop, when one of them dies; returns what ends the watch. Without pidfd nobody calls."""
    loop = asyncio.get_running_loop()
    watched: list[int] = []

    def stop() -> None:
        while watched:
            descriptor = watched.pop()
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def died() -> None:
        if watched:
            stop()
            call()

    if hasattr(os, "pidfd_open"):
        for process in processes:
            try:
                watched.append(os.pidfd_open(process.pid))
            except ProcessLookupError:
                loop.call_soon(call)
            else:
                loop.add_reader(watched[-1], died)
    return stop


def memory_of(roots: Iterable[psutil.Process]) -> int:
    """Bytes the processes and all they started take: pages that several share are divided among them. Blocks.

    Where the system keeps that to itself, as of a sandboxed process of another user's, what each does not share counts.
    """
    total = 0
    for process in with_descendants(roots):
        with contextlib.suppress(psutil.Error):
            total += _share_of(process)
    return total


def _share_of(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.AccessDenied):
        if proportional := getattr(process.memory_full_info(), "pss", 0):
            return int(proportional)
    used = process.memory_info()
    return int(used.rss - getattr(used, "shared", 0))


def profile_folder(browser: psutil.Process) -> Path | None:
    """The temporary profile Playwright made for this browser."""
    with contextlib.suppress(psutil.Error):
        for argument in browser.cmdline():
            name, _, value = argument.partition("=")
            if name == "--user-data-dir":
                return Path(value)
    return None
