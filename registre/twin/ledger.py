"""The twin's own bill: one line each time a viewer is made, so a request that was repeated shows as two.

Invariant: append-only; with a path, a line is on the disk (fsync) before the viewer that it bills is answered.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from registre.twin.documents import Document


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One billed page. `at` is ISO 8601 in UTC; `cadastre` is its name; a blank fact is ''.

    `hit` says how many times its request id has been billed with this line: above 1 it is a repetition.
    """

    n: int
    at: str
    account: str
    source: str
    number_normalized: str
    circonscription: str
    cadastre: str
    designation: str
    acte_type: str
    amount_cents: int
    request_id: str
    hit: int = 1


class BillingLedger:
    """The lines, in memory and optionally as JSON lines in a file; safe from several threads.

    A file left by a killed twin is read at start; a last line cut by the kill was never answered, and is dropped.
    """

    def __init__(self, fee_cents: int, clock: Callable[[], datetime], path: Path | None = None) -> None:
        self._fee_cents = fee_cents
        self._clock = clock
        self._path = path
        self._guard = threading.Lock()
        self._lines: list[LedgerLine] = _load(path) if path else []

    def bill(self, account: str, document: Document, request_id: str) -> LedgerLine:
        """Append one line."""
        with self._guard:
            line = LedgerLine(
                n=len(self._lines) + 1,
                at=self._clock().isoformat(),
                account=account,
                source=document.source.value,
                number_normalized=document.number,
                circonscription=document.circonscription,
                cadastre=document.cadastre,
                designation=document.designation,
                acte_type=document.acte_type,
                amount_cents=self._fee_cents,
                request_id=request_id,
                hit=1 + sum(line.request_id == request_id for line in self._lines),
            )
            if self._path:
                _append(self._path, line)
            self._lines.append(line)
            return line

    def lines(self) -> list[LedgerLine]:
        with self._guard:
            return list(self._lines)


def _append(path: Path, line: LedgerLine) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _load(path: Path) -> list[LedgerLine]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return [LedgerLine(**json.loads(line)) for line in whole.decode("utf-8").splitlines() if line]
