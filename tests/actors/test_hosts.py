"""Several hosts: whose name is whose, one upkeep for all, a drain is one host's and a pause everybody's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import actors.dispatcher
from registre.errors import ConfigurationError, StoreUnavailable
from registre.gates import Scope
from registre.job import Status
from registre.spool import Spool
from tests.actors.host import Site
from tests.fakes import FakeRegistry, Point
from tests.waiting import until


@contextmanager
def another(site: Site, registry: FakeRegistry, dsn: str, host: str, home: str = "other") -> Iterator[Site]:
    """A second host, not started yet."""
    other = Site(site.store, registry, dsn, site.home.parent / home)
    other.settings = other.settings.model_copy(update={"host": host})
    try:
        yield other
    finally:
        if other.fleet is not None:
            other.drain()


def boots(site: Site) -> dict[str, str]:
    return {host.host: f"{host.state} {host.accounts}" for host in site.store.views.hosts()}


def test_a_spool_that_is_full_at_start_leaves_nothing_running_and_the_next_start_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Spool) -> str:
        raise StoreUnavailable("The spool cannot be used: No space left on device.")

    site.accounts("99T0001")
    (order,) = site.order(1_000_001)
    with monkeypatch.context() as full:
        full.setattr(Spool, "identity", refuse)
        with pytest.raises(StoreUnavailable):
            site.start()
    site.fleet = None
    site.start()
    (job,) = site.until_ended(order)
    assert job.status is Status.DONE
    site.assert_money_is_right()


def test_a_second_host_under_one_name_is_refused_and_the_first_goes_on(
    site: Site, registry: FakeRegistry, dsn: str
) -> None:
    site.accounts("99T0001")
    viewer = registry.hold(Point.VIEWER)
    (order,) = site.order(1_000_001)
    site.start()
    viewer.wait()
    with another(site, registry, dsn, "host-a") as other:
        with pytest.raises(
            ConfigurationError, match="at work under the name host-a: give this one another REGISTRE_HO"
        ):
            other.start()
        other.fleet = None
    viewer.release()
    (job,) = site.until_ended(order)
    assert (job.status, job.rescues, job.attempts) == (Status.DONE, 0, 1)
    assert boots(site) == {"host-a": "alive 1"}


def test_a_host_that_drained_leaves_its_name_to_another_home(site: Site, registry: FakeRegistry, dsn: str) -> None:
    site.accounts("99T0001")
    site.start()
    site.until_idle(1)
    assert site.drain()
    assert boots(site) == {"host-a": "stopped 0"}
    with another(site, registry, dsn, "host-a") as other:
        other.start()
        other.until_ended(*other.order(1_000_001))
        assert boots(site) == {"host-a": "alive 1"}


def test_of_two_copies_of_one_home_the_later_works_and_the_earlier_finishes_and_takes_no_more(
    site: Site, registry: FakeRegistry, dsn: str
) -> None:
    site.accounts("99T0001", "99T0002")
    site.start(max_sessions=1)
    site.until_ended(*site.order(1_000_001))  # so that the other account is the later's
    shutil.copytree(site.home / "spool", site.home.parent / "copy" / "spool")
    with another(site, registry, dsn, "host-a", "copy") as copy:
        copy.start(max_sessions=1)
        until(lambda: boots(site) == {"host-a": "alive 1"}, "the later does not hold an account")
        site.tick_keeper()
        until(lambda: len(registry.live_accounts) == 1, "the earlier keeps its session")
        site.tick_supervisor()
        copy.until_ended(*copy.order(*range(1_000_002, 1_000_004)))
        assert boots(site) == {"host-a": "alive 1"}
        assert len(registry.bill) == 3


def test_a_pause_stops_every_host_and_a_drain_only_its_own(site: Site, registry: FakeRegistry, dsn: str) -> None:
    site.accounts("99T0001", "99T0002")
    site.store.gates.pause(Scope.SITE, "", "marie", "audit")
    orders = site.order(*range(1_000_001, 1_000_005))
    site.start(max_sessions=1)
    with another(site, registry, dsn, "host-b") as other:
        other.start(max_sessions=1)
        site.until_idle(2)
        assert {site.job(order).status for order in orders} == {Status.WAITING}
        assert site.drain()
        site.store.gates.resume(Scope.SITE, "", "marie")
        other.until_ended(*orders)
        assert {line.account for line in registry.bill} < {"99T0001", "99T0002"}
        assert boots(site) == {"host-a": "stopped 0", "host-b": "alive 1"}


def test_one_of_two_hosts_does_the_upkeep_and_the_other_takes_it_over(
    site: Site, registry: FakeRegistry, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors.dispatcher, "RECLAIM_EVERY_SECONDS", 0.1)
    site.start()

    def does_it(*hosts: str) -> bool:
        return tuple(host.host for host in site.store.views.hosts() if host.does_upkeep) == hosts

    until(lambda: does_it("host-a"), "nobody does the upkeep")
    with another(site, registry, dsn, "host-b") as other:
        other.start()
        site.drain()
        until(lambda: does_it("host-b"), "nobody took the upkeep over")
