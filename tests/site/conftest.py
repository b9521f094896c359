"""What the tests of the site's bad manners share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registre.site.chromium import find_chromium
from registre.site.profile import load_profile
from registre.site.registry import SiteRegistry
from registre.twin.config import TwinConfig
from registre.twin.server import TwinServer
from tests.site.visit import Visit


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
