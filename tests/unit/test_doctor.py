"""Each check of the doctor, by what it finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from registre import doctor
from registre.access import KeyView, Role
from registre.account import AccountId, AccountView
from registre.doctor import Finding, Health
from registre.errors import StoreUnavailable
from registre.gates import Closure, Gate, Pause, Scope
from registre.job import Status, WorkerView
from registre.ledger import FailingDelivery, PurchaseId

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NOTHING = dict.fromkeys(Status, 0)


def account(state: str) -> AccountView:
    return AccountView(AccountId("1"), "99X0001", state, "the password is refused", None, None, None, 0)


def worker(status: str) -> WorkerView:
    return WorkerView("a/99X0001", status, "99X0001", None, None, None, None)


def test_a_home_that_is_right_is_so_and_keeps_nothing_of_the_check(tmp_path: Path) -> None:
    found = list(doctor.home(tmp_path / "new", free_bytes=50_000_000_000))
    assert [(f.what, f.health) for f in found] == [("home", Health.OK), ("disk", Health.OK)]
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(("free", "health"), [(1_000_000_000, Health.WARNING), (100_000_000, Health.FAILED)])
def test_a_disk_that_fills_is_told_before_documents_are_lost(tmp_path: Path, free: int, health: Health) -> None:
    assert list(doctor.home(tmp_path, free_bytes=free))[-1].health is health


def test_a_home_that_cannot_be_written_has_failed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    [found] = doctor.home(tmp_path / "file" / "home")
    assert (found.health, bool(found.to_do)) == (Health.FAILED, True)


def test_a_spool_that_others_may_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o755)
    (tmp_path / "spool").chmod(0o755)
    found = list(doctor.home(tmp_path, free_bytes=50_000_000_000))
    assert [(f.what, f.health) for f in found[1:2]] == [("spool", Health.WARNING)]
    assert "chmod 700" in found[1].to_do


@pytest.mark.parametrize(
    ("seconds", "health"), [(0.5, Health.OK), (-10, Health.WARNING), (600, Health.FAILED), (-600, Health.FAILED)]
)
def test_a_clock_that_goes_wrong_is_told_either_way(seconds: float, health: Health) -> None:
    assert doctor.clock(NOW, NOW + timedelta(seconds=seconds)).health is health


def test_accounts_that_cannot_work_are_told_by_name() -> None:
    assert [f.health for f in doctor.accounts([])] == [Health.WARNING]
    assert [f.health for f in doctor.accounts([account("inactive")])] == [Health.WARNING]
    assert [f.health for f in doctor.accounts([account("free")])] == [Health.OK]
    aside = list(doctor.accounts([account("set aside")]))
    assert (aside[1].what, "the password is refused" in aside[1].told) == ("account 99X0001", True)


def test_a_pause_names_its_author_and_how_it_ends() -> None:
    pause = Pause(Scope.CLIENT, "Étude", "marie", "the invoice", NOW)
    frozen = Closure(Gate.FROZEN, Scope.SOURCE, "index", "the form has changed", None)
    closed = Closure(Gate.PACE, Scope.ACCOUNT, "a", "it rests", None)
    found = list(doctor.gates([frozen, closed], [pause]))
    assert [f.what for f in found] == ["pause of client Étude", "gate frozen"]
    assert "by marie: the invoice" in found[0].told
    assert found[0].to_do == "registre resume client Étude"


def test_orders_that_wait_for_nobody_have_failed() -> None:
    waiting = {**NOTHING, Status.WAITING: 3}
    alone = doctor.work(waiting, [worker("offline")], NOW - timedelta(minutes=5), NOW)
    assert (alone.health, "the oldest for 5 min" in alone.told) == (Health.FAILED, True)
    assert doctor.work(waiting, [worker("idle")], NOW, NOW).health is Health.OK
    assert doctor.work(NOTHING, [], None, NOW).health is Health.OK


def test_what_is_not_in_its_bucket_yet_is_counted() -> None:
    assert (doctor.spool(0, []).health, doctor.spool(2, []).health) == (Health.OK, Health.WARNING)
    failing = FailingDelivery(PurchaseId("p"), "j", "host-a", "index", "1", NOW, 3, NOW, "The bucket has no room left")
    found = doctor.spool(2, [failing])
    assert (found.health, "host-a: The bucket has no room left." in found.told) == (Health.FAILED, True)


def test_keys_that_are_all_revoked_are_none() -> None:
    key = KeyView("a", "marie", Role.ADMIN, "x", NOW, None, None, None)
    revoked = KeyView("b", "jean", Role.ADMIN, "x", NOW, None, NOW, "x")
    assert (doctor.keys([key, revoked]).health, doctor.keys([revoked]).health) == (Health.OK, Health.WARNING)


def test_a_check_that_fails_is_a_finding() -> None:
    def fails() -> Finding:
        raise StoreUnavailable("The bucket is away.")

    assert doctor.tried("buckets", fails, "look") == Finding("buckets", Health.FAILED, "The bucket is away.", "look")
