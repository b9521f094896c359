"""What a host holds at one instant: memory, files, processes and threads, tables, disk.

Invariant: reads only.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psutil
import psycopg

from benchmarks.site.tree import PARTS, Tree

_MB = 1_000_000
_TABLES: LiteralString = """
    select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint as bytes from pg_class c
    where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'registre'::regnamespace)"""
_COUNTS: LiteralString = """
    select count(*) as orders, count(*) filter (where status = 'Complété') as completed,
        count(*) filter (where status = 'Erreur') as failed from extraction_queue"""


@dataclass(frozen=True, slots=True)
class Sample:
    """`at` is in seconds since the start. Memory is PSS, by part; `files` are open descriptors of our own Python processes."""

    at: float
    megabytes: dict[str, float]
    files: int
    processes: int
    threads: int
    tables_mb: float
    orders: int
    completed: int
    failed: int
    spool_mb: float
    evidence_mb: float
    logs_mb: float

    @property
    def bytes_per_order(self) -> float:
        return self.tables_mb * _MB / self.orders if self.orders else 0.0


def take(at: float, root: int, keeper: int, home: Path, connection: psycopg.Connection[dict[str, Any]]) -> Sample:
    tree = Tree(root, keeper)
    used = tree.megabytes()
    counted: Counter[str] = Counter()
    with contextlib.suppress(psutil.Error):
        top = psutil.Process(root)
        for process in [top, *top.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                counted["processes"] += 1
                counted["threads"] += process.num_threads()
                if "registre" in " ".join(process.cmdline()):
                    counted["files"] += process.num_fds()
    [tables] = connection.execute(_TABLES).fetchall()
    [counts] = connection.execute(_COUNTS).fetchall()
    return Sample(
        at=at,
        megabytes={part: used.parts.get(part, 0.0) for part in PARTS},
        files=counted["files"],
        processes=counted["processes"],
        threads=counted["threads"],
        tables_mb=tables["bytes"] / _MB,
        orders=counts["orders"],
        completed=counts["completed"],
        failed=counts["failed"],
        spool_mb=_weight(home / "spool"),
        evidence_mb=_weight(home / "evidence"),
        logs_mb=_weight(home / "recorder"),
    )


def _weight(folder: Path) -> float:
    total = 0
    for parent, _, names in os.walk(folder):  # passes over a folder that left meanwhile
        for name in names:
            with contextlib.suppress(OSError):  # it left meanwhile
                total += (Path(parent) / name).stat().st_size
    return total / _MB
