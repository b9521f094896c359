"""What a twin is started with.

Invariant: nothing in it is real; the demonstration accounts are visibly made up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


def demo_accounts(n: int) -> list[tuple[str, str]]:
    """`n` made-up accounts as (user code, password): `('99T0001', 'twin-password-1')`, …; n at most 9999."""
    if not 0 <= n <= 9999:
        raise ValueError("between 0 and 9999 accounts can be made up")
    return [(f"99T{i:04d}", f"twin-password-{i}") for i in range(1, n + 1)]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class TwinConfig:
    """One twin. Equal seeds give equal documents, byte for byte.

    `clock` gives aware UTC instants and decides idle expiry and the end of a loading page: a test moves time itself.
    `encoding` is of pages and of posted forms, `utf-8` or `windows-1252`. `acte_form_reloads` makes the
    circonscription of the acte form reload the page, which is unknown of the real site. `inline_pdf` puts the PDF
    itself in the viewer's frame instead of an HTML page about it; a headless shell turns that into a second download.
    `faults` are set from the start, in the shape `FaultBox.update` takes.
    """

    accounts: Mapping[str, str] = field(default_factory=lambda: dict(demo_accounts(3)))
    seed: int = 2784195
    idle_seconds: float = 20 * 60
    loading_seconds: float = 0.3
    ledger_path: Path | None = None
    fee_cents: int = 150
    encoding: str = "utf-8"
    acte_form_reloads: bool = False
    inline_pdf: bool = False
    faults: Mapping[str, object] = field(default_factory=dict)
    clock: Callable[[], datetime] = utc_now
