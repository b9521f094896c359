"""The OpenAPI of the API, and a page that shows it without anything from elsewhere.

Invariant: the page is made from the schema, on this machine: no script, no style sheet and no font of another host.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response, Router, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from api.access import needs
from api.desk import AnyRequest
from api.examples import with_examples
from registre.access import Role
from registre.wiring import VERSION

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
)
TEMPLATES.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": False}  # read by people


class _Exemplified(JsonRenderPlugin):
    """The OpenAPI as JSON, with its examples."""

    def render(self, request: AnyRequest, openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, with_examples(openapi_schema))


OPENAPI = OpenAPIConfig(
    title="registre",
    version=VERSION,
    summary="Documents of Quebec's land registry: ordered, bought once, delivered.",
    use_handler_docstrings=True,
    security=[{"bearer": []}, {"header": []}],
    components=Components(
        security_schemes={
            "bearer": SecurityScheme(type="http", scheme="bearer", description="A key of `registre keys add`."),
            "header": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header"),
        }
    ),
    openapi_router=Router("/openapi.json", route_handlers=[], opt=needs(Role.VIEWER), include_in_schema=False),
    render_plugins=[_Exemplified(path="/")],
)


@get("/docs", opt=needs(Role.VIEWER), include_in_schema=False, sync_to_thread=True)
def documentation(request: AnyRequest) -> Response[bytes]:
    """Every endpoint, as a page."""
    schema = with_examples(request.app.openapi_schema.to_schema())
    headers = {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(_page(schema), media_type="text/html", headers=headers)


def _page(schema: dict[str, Any]) -> bytes:
    return TEMPLATES.get_template("documentation.html").render(schema=schema).encode()


ROUTER = Router("/", route_handlers=[documentation])
