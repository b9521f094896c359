"""Which orders a listing shows, as a person types it: `status=failed source=acte client="Étude Tremblay" 2784195`.

Invariant: what cannot be read is an InvalidInput with one sentence; nothing is guessed. A word alone is a status, a source, or
else a document's number.
"""

from __future__ import annotations

import shlex

from registre.document import Source
from registre.errors import InvalidInput

NAMES = {
    "status": "status",
    "statut": "status",
    "source": "source",
    "client": "client",
    "batch": "batch",
    "lot": "batch",
    "kind": "error_kind",
    "error_kind": "error_kind",
    "cause": "error_kind",
    "place": "circonscription",
    "circonscription": "circonscription",
    "number": "text",
    "text": "text",
    "numero": "text",
    "numéro": "text",
}
"""What a person may write → the API's own name."""

STATUSES = {
    "queued": "queued",
    "waiting": "queued",
    "attente": "queued",
    "processing": "processing",
    "active": "processing",
    "cours": "processing",
    "completed": "completed",
    "done": "completed",
    "complété": "completed",
    "completé": "completed",
    "failed": "failed",
    "error": "failed",
    "erreur": "failed",
    "échec": "failed",
    "all": "all",
    "tout": "all",
}

SOURCES: dict[str, str] = {
    **{str(source): str(source) for source in Source},
    "plan": str(Source.PLAN),
    "plans": str(Source.PLAN),
}

Choice = dict[str, str]
"""The API's parameters; an empty one is every order."""


def read(text: str) -> Choice:
    """The choice meant."""
    try:
        words = shlex.split(text)
    except ValueError:
        raise InvalidInput("filter", "a quotation mark is not closed.") from None
    found: Choice = {}
    for word in words:
        name, is_named, value = word.partition("=")
        if is_named:
            _named(found, name.casefold(), value)
        elif word.casefold() in STATUSES:
            found["status"] = STATUSES[word.casefold()]
        elif word.casefold() in SOURCES:
            found["source"] = SOURCES[word.casefold()]
        else:
            found["text"] = found.get("text", "") + word
    if found.get("status") == "all":
        del found["status"]
    return found


def _named(found: Choice, name: str, value: str) -> None:
    if name not in NAMES:
        raise InvalidInput(
            "filter", f"'{name[:30]}' is unknown; one of status, source, client, batch, kind, place is expected."
        )
    parameter = NAMES[name]
    if not value:
        return
    if parameter == "status":
        if value.casefold() not in STATUSES:
            raise InvalidInput(
                "filter", f"'{value[:30]}' is no status; one of queued, processing, completed, failed is expected."
            )
        value = STATUSES[value.casefold()]
    if parameter == "source":
        if value.casefold() not in SOURCES:
            raise InvalidInput("filter", f"'{value[:30]}' is no source; one of {', '.join(Source)} is expected.")
        value = SOURCES[value.casefold()]
    found[parameter] = value


def written(**parameters: str) -> str:
    """A choice as a person would type it."""
    short = {"error_kind": "kind", "circonscription": "place"}
    return " ".join(f"{short.get(name, name)}={shlex.quote(value)}" for name, value in parameters.items() if value)
