"""The OpenAPI is what the API does: whatever it allows to be sent is answered as it says, and what it does not breaks nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from litestar import Litestar
from litestar.testing import TestClient
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi import checks

from api.app import create_app
from api.examples import UNKNOWN, example_of
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


def bodies(openapi: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(place, media type, content) of every body that is asked or answered."""
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            asked = {"asked": operation["requestBody"]} if "requestBody" in operation else {}
            for place, body in {**asked, **operation["responses"]}.items():
                for media, content in (body.get("content") or {}).items():
                    yield f"{method} {path} {place}", media, content


def test_every_body_has_an_example_that_is_as_its_schema_says(ask: Asking) -> None:
    openapi = ask("GET", "/openapi.json").json()
    found = list(bodies(openapi))
    assert len(found) > 200
    for place, media, content in found:
        assert "example" in content, place
        assert UNKNOWN not in str(content["example"]), f"{place} has a field without a word of its own"
        if media.endswith("json") or content["schema"].get("type") == "object":
            validator = jsonschema_rs.validator_for(
                {**content["schema"], "components": openapi["components"]}, validate_formats=True
            )
            wrong = [error.message for error in validator.iter_errors(content["example"])]
            assert wrong == [], f"{place}: {wrong}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/extractions"),
        ("POST", "/api/batches"),
        ("PUT", "/api/pauses"),
        ("PUT", "/api/hours"),
        ("PUT", "/api/budgets"),
        ("PUT", "/api/fees"),
        ("POST", "/api/keys"),
        ("POST", "/api/webhooks"),
        ("POST", "/api/accounts"),
    ],
)
def test_an_example_can_be_sent_as_it_is(ask: Asking, method: str, path: str) -> None:
    openapi = ask("GET", "/openapi.json").json()
    body = openapi["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["example"]
    body.pop("deadline", None)  # of an order; a day that will have passed
    answer = ask(method, path, json=body)
    assert answer.status_code in (200, 201), answer.text


def test_an_unknown_word_is_found() -> None:
    assert example_of({"type": "object", "properties": {"shoe_size": {"type": "string"}}}, {}) == {"shoe_size": UNKNOWN}


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
    assert page.text.count("Such as:") == sum(
        content is not None
        for methods in schema["paths"].values()
        for operation in methods.values()
        for status, response in operation["responses"].items()
        if status < "300"
        for content in (response.get("content") or {}).values()
    )
    assert "Étude Tremblay" in page.text
    for kind in ("invalid-input", "other-request", "miscounted", "refused", "not-found", "unavailable", "failure"):
        assert f'id="{kind}"' in page.text, "the type of a problem leads here"
