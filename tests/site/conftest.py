"""What the tests of the twin and of the site's bad manners share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registre.site.chromium import find_chromium
from registre.site.profile import SiteProfile, load_profile
from registre.site.registry import SiteRegistry
from registre.site.session import SiteSession
from registre.twin.config import TwinConfig
from registre.twin.server import TwinServer
from tests.site.sessions import open_session
from tests.site.visit import Visit
from tests.site.visitor import ACCOUNTS, Clock, Visitor


@pytest.fixture(scope="module")
def one_visit() -> Iterator[Visit]:
    chromium = find_chromium(None)
    assert chromium is not None, "these tests need a Chromium"
    profile = load_profile()
    little = profile.budgets.model_copy(update={"operation": 3.0, "download": 2.0, "viewer": 4.0})
    with TwinServer(TwinConfig(loading_seconds=0.05)) as twin:
        patient = SiteRegistry(base_url=twin.base_url, profile=profile, chromium=chromium)
        hasty = SiteRegistry(
            base_url=twin.base_url, profile=profile.model_copy(update={"budgets": little}), chromium=chromium
        )
        yield Visit(twin, patient, hasty)
        patient.close()
        hasty.close()


@pytest.fixture
def visit(one_visit: Visit) -> Iterator[Visit]:
    yield one_visit
    one_visit.leave()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "document.pdf"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[TwinServer]:
    config = TwinConfig(accounts=dict(ACCOUNTS), loading_seconds=0, clock=clock)
    with TwinServer(config) as running:
        yield running


@pytest.fixture
def visitor(server: TwinServer) -> Iterator[Visitor]:
    with Visitor(server) as visiting:
        visiting.login()
        yield visiting


@pytest.fixture(scope="module")
def chromium() -> Path:
    found = find_chromium(None)
    assert found is not None, "these tests need a Chromium"
    return found


@pytest.fixture(scope="module")
def running_twin() -> Iterator[TwinServer]:
    with TwinServer(TwinConfig(loading_seconds=0.05)) as server:
        yield server


@pytest.fixture
def twin(running_twin: TwinServer) -> Iterator[TwinServer]:
    yield running_twin
    running_twin.faults.clear()


@pytest.fixture(scope="module")
def hasty() -> SiteProfile:
    """The real profile, with little patience."""
    profile = load_profile()
    budgets = profile.budgets.model_copy(update={"operation": 3.0, "download": 2.0, "viewer": 4.0})
    return profile.model_copy(update={"budgets": budgets})


@pytest.fixture(scope="module")
def registry(running_twin: TwinServer, chromium: Path, hasty: SiteProfile) -> Iterator[SiteRegistry]:
    registry = SiteRegistry(base_url=running_twin.base_url, profile=hasty, chromium=chromium, sessions_per_cell=2)
    yield registry
    registry.close()


@pytest.fixture
def session(registry: SiteRegistry) -> Iterator[SiteSession]:
    session = open_session(registry)
    session.sign_in()
    yield session
    session.close()
