"""The OpenAPI is what the API does: whatever it allows to be sent is answered as it says, and what it does not breaks nothing."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from litestar import Litestar
from litestar.testing import TestClient
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks

from api.app import create_app
from registre.access import Role
from registre.wiring import Store
from tests.api.conftest import Asking, running

EXAMPLES = int(os.environ.get("REGISTRE_API_EXAMPLES", "4"))


def operations(app: Litestar) -> list[Any]:
    """Every operation but the stream, which does not end."""
    schema = schemathesis.openapi.from_dict(app.openapi_schema.to_schema())
    every: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]  # else it raises
    return [operation for operation in every if operation.path != "/api/events"]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: f"{mode.value} data")
def test_whatever_is_sent_is_answered_as_the_openapi_says(store: Store, ask: Asking, mode: GenerationMode) -> None:
    load_all_checks()
    held = [not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
            checks.response_headers_conformance, checks.response_schema_conformance]  # fmt: skip
    ask.order()
    app = create_app(store)
    headers = {"X-API-Key": ask.key(Role.ADMIN)}
    wrong: list[str] = []
    with running(app) as address:
        for operation in operations(app):

            @settings(max_examples=EXAMPLES, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy(generation_mode=mode))
            def send(case: Any) -> None:
                response = case.call(base_url=address, headers=headers)
                case.validate_response(response, checks=held, headers=headers)

            try:
                send()
            except BaseExceptionGroup as error:
                wrong.append(f"{operation.label}: {error.exceptions}")
    assert wrong == []


def test_the_documentation_is_made_here_and_names_everything(client: TestClient[Litestar], ask: Asking) -> None:
    page = ask("GET", "/docs")
    schema = ask("GET", "/openapi.json").json()
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in page.text
    assert re.findall(r"""(?:src|href)=["']?(?:https?:)?//|url\(|@import""", page.text) == []
    for path, methods in schema["paths"].items():
        assert f"<code>{path}</code>" in page.text
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["responses"], path
    for kind in ("invalid-input", "other-request", "miscounted", "refused", "not-found", "unavailable", "failure"):
        assert f'id="{kind}"' in page.text, "the type of a problem leads here"
