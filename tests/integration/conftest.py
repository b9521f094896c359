"""Homes for commands that start a PostgreSQL of their own, and a slower program beside a test's own calls."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.desk import Desk
from tests.rivals import Slow


@pytest.fixture
def public_home() -> Iterator[Path]:
    """A home not below tmp_path, which is closed to the user a root's PostgreSQL runs as."""
    folder = Path(tempfile.mkdtemp(prefix="registre-home-"))
    folder.chmod(0o711)
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def slow(desk: Desk, dsn: str) -> Iterator[Slow]:
    """Another program whose transaction is open until the test says otherwise."""
    with psycopg.connect(dsn) as connection:
        yield Slow(desk, connection)
