"""A fleet of this test's own: real actors, a real PostgreSQL, and a registry that obeys the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pykka
import pytest

import actors.fleet
from registre.wiring import Store
from tests.actors.host import Site
from tests.actors.idling import idle_until_signed_out
from tests.fakes import FakeRegistry

NEVER = 3600.0


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def site(store: Store, registry: FakeRegistry, dsn: str, tmp_path: Path) -> Iterator[Site]:
    site = Site(store, registry, dsn, tmp_path / "home")
    try:
        yield site
    finally:
        if site.fleet is not None:
            site.drain()
        registry.close()
        left = pykka.ActorRegistry.get_all()
        pykka.ActorRegistry.stop_all(block=False)
    assert left == [], "actors outlived the drain"
    assert registry.violations == []


@pytest.fixture
def only_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ticks but those a test sends: what happens now happens because somebody told."""
    for name in ("CLAIM_EVERY_SECONDS", "DISPATCH_EVERY_SECONDS"):
        monkeypatch.setattr(actors.fleet, name, NEVER)


@pytest.fixture
def signed_out(site: Site, registry: FakeRegistry) -> Site:
    """One account, held and signed out."""
    site.accounts("99T0001")
    site.start()
    idle_until_signed_out(site, registry)
    return site
