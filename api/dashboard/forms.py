"""What a page's form sent, and where its sender is led afterwards.

Invariant: a form is answered by a redirect, so that loading the page again sends nothing twice; only the report of many orders
is answered as it is, since its number no longer fits when it is sent again.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect

from api.access import needs
from api.desk import AnyRequest
from registre.access import Role
from registre.errors import InvalidInput

UsesForm = NamedDependency[SkipValidation[FormMultiDict]]


async def provide_form(request: AnyRequest) -> FormMultiDict:
    return await request.form()


def shows(role: Role = Role.VIEWER) -> dict[str, Any]:
    """For a handler that shows something, asking the store in a thread."""
    return {"opt": needs(role), "sync_to_thread": True}


def acts(role: Role) -> dict[str, Any]:
    """For a handler that does what a form asks, and sends its reader on."""
    return {"opt": needs(role), "sync_to_thread": True, "status_code": 303}


def field(form: FormMultiDict, name: str) -> str:
    """A field's text; '' for one that was not sent."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def whole_number(form: FormMultiDict, name: str) -> int:
    text = field(form, name)
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise InvalidInput(name, "a whole number is expected.")
    return int(text)


def onward(path: str, told: str, **more: object) -> Redirect:
    """The next page, which tells what was done."""
    return Redirect(f"{path}?{urlencode({**more, 'told': told})}", status_code=303)
