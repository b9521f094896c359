"""The twin's bill: append-only, and on the disk before it counts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from registre.twin.ledger import BillingLedger
from registre.twin.special import special_document

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


def ledger_at(path: Path | None = None) -> BillingLedger:
    return BillingLedger(150, lambda: NOW, path)


def test_a_line_says_who_what_when_and_how_much() -> None:
    document = special_document("index-old-lot")
    line = ledger_at().bill("99T0001", document, "abc")
    assert (line.n, line.at, line.account) == (1, "2026-03-02T15:00:00+00:00", "99T0001")
    assert (line.source, line.number_normalized, line.circonscription) == ("index", "24A", "Gaspé")
    assert (line.cadastre, line.designation, line.acte_type) == ("Village de Gaspé", "Rang 1", "")
    assert (line.amount_cents, line.request_id) == (150, "abc")


def test_the_bill_of_a_killed_twin_is_there_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ledger.jsonl"
    first = ledger_at(path)
    lines = [first.bill("99T0001", special_document("index-ordinary"), rid) for rid in ("a", "b")]
    second = ledger_at(path)
    assert second.lines() == lines
    assert second.bill("99T0002", special_document("acte-ordinary"), "c").n == 3
    assert len(ledger_at(path).lines()) == 3


def test_a_line_cut_by_the_kill_is_dropped_and_the_next_begins_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    whole = ledger_at(path).bill("99T0001", special_document("index-ordinary"), "a")
    with path.open("a", encoding="utf-8") as file:
        file.write('{"n": 2, "at": "2026')
    again = ledger_at(path)
    assert again.lines() == [whole]
    added = again.bill("99T0001", special_document("index-ordinary"), "b")
    assert ledger_at(path).lines() == [whole, added]
