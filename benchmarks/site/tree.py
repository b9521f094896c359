"""What a tree of processes has used: processor time and memory, by the part that used it. Linux only.

Invariant: time of a process that has ended is not lost, as long as its parent is in the tree: the parent has it among what
its children used.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import psutil

from registre.site.processes import is_driver

PARTS = ("python", "driver", "chromium", "postgres")
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Used:
    """One number a part."""

    parts: Mapping[str, float] = field(default_factory=dict)

    def __sub__(self, earlier: Used) -> Used:
        return Used({part: value - earlier.parts.get(part, 0.0) for part, value in self.parts.items()})

    def over(self, number: float) -> Used:
        return Used({part: value / number for part, value in self.parts.items()})

    @property
    def all(self) -> float:
        return sum(self.parts.values())

    @property
    def without_postgres(self) -> float:
        return sum(value for part, value in self.parts.items() if part != "postgres")


@dataclass(frozen=True, slots=True)
class Tree:
    """`root` and all below it, and the embedded server's keeper and all below it, if any."""

    root: int
    keeper: int | None = None

    def seconds(self) -> Used:
        """Processor seconds since each process began, user and system."""
        used: dict[str, float] = defaultdict(float)
        for part, process in self._processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                used[part] += times.user + times.system + times.children_user + times.children_system
        return Used(used)

    def megabytes(self) -> Used:
        """Memory as PSS: pages that several processes share count once, in equal shares, over the whole machine."""
        used: dict[str, float] = defaultdict(float)
        for part, process in self._processes():
            with contextlib.suppress(psutil.Error):
                used[part] += process.memory_full_info().pss / _MB
        return Used(used)

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        keeper = set()
        if self.keeper is not None:
            for process in _family(self.keeper):
                keeper.add(process.pid)
                yield "postgres", process
        drivers: set[int] = set()
        for process in _family(self.root):
            if process.pid in keeper:
                continue
            with contextlib.suppress(psutil.Error):
                if is_driver(process):
                    drivers.add(process.pid)
                    yield "driver", process
                elif drivers & {parent.pid for parent in process.parents()}:
                    yield "chromium", process
                else:
                    yield "python", process


def _family(pid: int) -> list[psutil.Process]:
    """Parents before their children."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []
