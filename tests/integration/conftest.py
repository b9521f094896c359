"""Homes for commands that start a PostgreSQL of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def public_home() -> Iterator[Path]:
    """A home not below tmp_path, which is closed to the user a root's PostgreSQL runs as."""
    folder = Path(tempfile.mkdtemp(prefix="registre-home-"))
    folder.chmod(0o711)
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)
