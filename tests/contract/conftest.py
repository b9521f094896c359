"""The suites of what moves orders and money run twice: over the database itself, and over a Supabase project's HTTP API."""

from __future__ import annotations

import pytest

OVER_REST_TOO = {
    "test_accounts",
    "test_leasing",
    "test_money",
    "test_pulse",
    "test_reclaim",
    "test_secrets",
    "test_settle",
    "test_stores",
    "test_webhooks",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "transport" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in OVER_REST_TOO:
        metafunc.parametrize("transport", ["direct", "rest"])
