"""The law of crashes sees each thing it is there to see."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crashes.books import Books
from benchmarks.crashes.law import FATES, Kind, judge, judge_deaths
from registre.twin.ledger import LedgerLine
from tests.faults.worker import POINTS

CONTENT = b"%PDF of a lot"
PATH = "index/1000001.pdf"
USED = {"scope": "site", "name": "", "period": "day", "starts_on": "2026-01-01", "used_cents": 150}


def line(number: str) -> LedgerLine:
    return LedgerLine(1, "", "99T0001", "index", number, "Montréal", "", "", "", 150, number)


def row(**changes: Any) -> dict[str, Any]:
    usual = {
        "id": "job",
        "status": "Complété",
        "source": "index",
        "number": "1000001",
        "client": "a",
        "identity_key": "one",
    }
    ended = {
        "attempts": 1,
        "error_kind": None,
        "error_message": None,
        "path": PATH,
        "cost_cents": 150,
        "wait_reason": None,
    }
    return {**usual, **ended, "why": "", **changes}


def purchase(**changes: Any) -> dict[str, Any]:
    usual = {"id": "p", "job_id": "job", "identity_key": "one", "state": "delivered", "fee_cents": 150, "client": "a"}
    there = {
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "bucket": "index",
        "object_key": "1000001.pdf",
        "reason": None,
    }
    return {**usual, **there, "charged_at": "then", "secured_at": "then", "settled_at": None, **changes}


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """One order, delivered: nothing to complain of."""
    for part in ("incoming", "ready", "held", "done"):
        (tmp_path / "spool" / part).mkdir(parents=True)
    (tmp_path / "buckets" / "index").mkdir(parents=True)
    (tmp_path / "buckets" / PATH).write_bytes(CONTENT)
    told = {"status": "Complété", "attempts": 1, "error_kind": None, "path": PATH, "cost_cents": 150}
    return Books(
        jobs=[row()],
        purchases=[purchase()],
        events=[{"job_id": "job", "data": told}],
        attempts=[{"job_id": "job", "number": 1, "ended_at": "then"}],
        spending=[],
        reserved=[],
        accounts=[{"username": "99T0001", "set_aside_reason": None}],
        gates=[],
        bill=[line("1000001")],
        buckets=tmp_path / "buckets",
        spool=tmp_path / "spool",
    )


def ambiguous(**changes: Any) -> dict[str, Any]:
    return purchase(state="ambiguous", secured_at=None, **changes)


def waiting(**changes: Any) -> dict[str, Any]:
    return row(id="other", status="En attente", attempts=0, path=None, cost_cents=0, client="b", **changes)


def kinds(books: Books) -> set[Kind]:
    return {breach.kind for breach in judge(books)}


def test_a_delivered_order_breaks_nothing(books: Books) -> None:
    assert judge(books) == []


def test_a_second_bill_is_seen(books: Books) -> None:
    assert Kind.TWICE in kinds(replace(books, bill=[line("1000001")] * 2))


def test_a_second_bill_after_a_person_decided_is_right(books: Books) -> None:
    both = [ambiguous(id="first", settled_at="then"), purchase()]
    twice = replace(books, purchases=both, bill=[line("1000001")] * 2, jobs=[row(cost_cents=300)])
    assert [b.sentence for b in judge(twice) if "events" not in b.sentence] == []


@pytest.mark.parametrize("bill", [[], [line("1000001"), line("1000002")]])
def test_a_bill_that_is_not_what_was_bought_is_seen(books: Books, bill: list[LedgerLine]) -> None:
    assert kinds(replace(books, bill=bill)) >= {Kind.OTHER}


def test_a_charge_that_the_registry_does_not_know_is_seen(books: Books) -> None:
    unbilled = replace(books, purchases=[ambiguous()], bill=[])
    assert any("known as billed" in breach.sentence for breach in judge(unbilled))


def test_a_row_in_progress_is_stuck(books: Books) -> None:
    assert Kind.STUCK in kinds(replace(books, jobs=[row(status="En traitement")]))


def test_an_order_that_waits_for_nothing_is_stuck(books: Books) -> None:
    assert Kind.STUCK in kinds(replace(books, jobs=[row(), waiting()]))


def test_an_order_that_waits_for_a_person_is_not_stuck(books: Books) -> None:
    held = replace(books, jobs=[row(), waiting()], purchases=[ambiguous()])
    assert not [breach for breach in judge(held) if "waits for nothing" in breach.sentence]


def test_an_attempt_or_a_purchase_without_an_end_is_stuck(books: Books) -> None:
    assert Kind.STUCK in kinds(replace(books, attempts=[{"job_id": "job", "number": 1, "ended_at": None}]))
    assert Kind.STUCK in kinds(replace(books, purchases=[purchase(state="charged")]))


def test_a_document_that_is_not_in_its_bucket_is_lost(books: Books) -> None:
    (books.buckets / PATH).write_bytes(b"another")
    assert kinds(books) == {Kind.LOST}


def test_a_secured_document_that_was_not_delivered_is_lost(books: Books) -> None:
    assert Kind.LOST in kinds(replace(books, purchases=[purchase(state="secured")]))


@pytest.mark.parametrize("part", ["incoming", "ready", "held", "done"])
def test_what_stays_in_the_spool_is_lost(books: Books, part: str) -> None:
    (books.spool / part / "p").mkdir()
    assert kinds(books) == {Kind.LOST}


def test_an_object_that_the_ledger_does_not_know_is_seen(books: Books) -> None:
    (books.buckets / "index" / "half").write_bytes(b"")
    assert kinds(books) == {Kind.OTHER}


def test_a_row_that_its_events_do_not_tell_is_seen(books: Books) -> None:
    told = {"job_id": "job", "data": {"attempts": 2}}
    assert kinds(replace(books, events=[*books.events, told])) == {Kind.OTHER}


def test_a_budget_that_is_not_what_was_reserved_is_seen(books: Books) -> None:
    assert kinds(replace(books, spending=[USED])) == {Kind.OTHER}


def test_a_closed_gate_and_an_account_set_aside_are_seen(books: Books) -> None:
    assert kinds(replace(books, gates=[{"gate": "breaker", "reason": "away"}])) == {Kind.OTHER}
    assert kinds(replace(books, accounts=[{"username": "a", "set_aside_reason": "refused"}])) == {Kind.OTHER}


def test_a_purchase_that_does_not_end_as_its_point_says_is_seen(books: Books) -> None:
    assert list(judge_deaths(books, [("after_rename", "p")], decided=False)) == []
    assert list(judge_deaths(books, [("at_viewer", "1000001")], decided=False)) != []
    assert list(judge_deaths(replace(books, bill=[]), [("after_rename", "p")], decided=False)) != []


def test_only_points_that_there_are_promise_anything() -> None:
    assert FATES.keys() <= POINTS.keys()
