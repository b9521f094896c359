"""Calls SQL functions of schema `registre` by name, over the HTTP API of a Supabase project (PostgREST).

Invariant: the same calls, values and errors as `DirectGateway`. One call is one POST and one transaction, and is never
repeated here. There is no bell: who listens is told once that he may look, and looks by himself from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
from postgrest import APIError
from supabase import Client

from registre.database.bell import ring_once
from registre.database.gateway import Json, refusal
from registre.errors import ConfigurationError, DatabaseUnavailable, Refused, RegistreError
from registre.project import KEY_REFUSED, in_a_word

DOOR = "registre_call"
NO_SCHEMA = (
    "The database of the Supabase project has no schema of registre, or another version's: run what `registre db plan` prints "
    "in its SQL editor."
)


class NoDoor(DatabaseUnavailable):
    """There is a project, and nothing of ours in it that can be called."""


class KeyRefused(DatabaseUnavailable):
    """The project answers, and not to this key."""


class RestGateway:
    """The gateway over `rpc()`. Thread-safe; the client stays its owner's to close."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def check(self) -> None:
        """Ask once, so that a wrong address, a wrong key and a missing schema are sentences at the start."""
        try:
            self.call("applied")
        except NoDoor:
            raise ConfigurationError(NO_SCHEMA) from None
        except KeyRefused as error:
            raise ConfigurationError(error.message) from None

    def call(self, function: str, /, **arguments: Any) -> list[dict[str, Any]]:
        try:
            given = {
                "p_function": function,
                "p_arguments": {f"p_{name}": _written(value) for name, value in arguments.items()},
            }
            answer = self._client.rpc(DOOR, given).execute().data
        except APIError as error:
            raise _translate(error) from None
        except httpx.HTTPError as error:
            raise DatabaseUnavailable(f"The database's API does not answer: {in_a_word(error)}.") from None
        except UnicodeEncodeError as error:
            raise Refused(f"The database refuses what it was given: {error.reason}.") from None
        except ValueError:
            raise DatabaseUnavailable("What answers at SUPABASE_URL is not the API of a database.") from None
        if not isinstance(answer, dict) or not answer.keys() >= {"types", "rows"}:
            raise DatabaseUnavailable("What answers at SUPABASE_URL is not the API of a database.")
        readers = {name: reader for name, kind in answer["types"].items() if (reader := _reader(kind)) is not None}
        return [_read(row, readers) for row in answer["rows"]] if readers else answer["rows"]

    def clock(self) -> datetime:
        """The database's own, by which leases go."""
        found: datetime = self.call("instant", now=None)[0]["instant"]
        return found

    def version(self) -> str:
        return str(self.call("server_version")[0]["server_version"]).split()[0]

    def listen(self, channels: tuple[str, ...], ring: Callable[[str, str], None]) -> Callable[[], None]:
        return ring_once(channels, ring)

    def close(self) -> None:
        """Nothing of its own is open."""


def _written(value: Any) -> Any:
    """As JSON carries it and jsonb_to_record reads it back."""
    match value:
        case Json():
            return value.value
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds()} seconds"
        case UUID() | Decimal():
            return str(value)
        case float() if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        case list() | tuple():
            return [_written(item) for item in value]
        case _:
            return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "timestamp with time zone": datetime.fromisoformat,
    "timestamp without time zone": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time without time zone": time.fromisoformat,
    "double precision": float,
    "real": float,
    "numeric": lambda number: Decimal(str(number)),
}


def _reader(kind: str) -> Callable[[Any], Any] | None:
    """What makes of a column's JSON value what the driver would have given; None where JSON's own is that."""
    reader = _READERS.get(kind.removesuffix("[]"))
    if reader is None or not kind.endswith("[]"):
        return reader
    return lambda values: [None if value is None else reader(value) for value in values]


def _read(row: dict[str, Any], readers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    return {
        name: value if value is None or (reader := readers.get(name)) is None else reader(value)
        for name, value in row.items()
    }


def _translate(error: APIError) -> RegistreError:
    """By PostgREST's code, or the database's own; the HTTP status is not kept, and stands for the code where there is none."""
    code, said = str(error.code or ""), (str(error.message or "").strip().splitlines() or [""])[0][:300].rstrip(".")
    if code == "P0001":
        return refusal(error.hint or "", str(error.message or "The database refused."))
    if code[:2] in {"22", "23"}:
        return Refused(f"The database refuses what it was given: {said}.")
    if code in {"PGRST202", "PGRST106"}:
        return NoDoor(NO_SCHEMA)
    if code in {"0A000", "42883", "42704", "XX000"}:
        return DatabaseUnavailable(f"The database's functions are not those expected: {said}.")
    if code in {"401", "403", "42501", "PGRST300", "PGRST301", "PGRST302", "PGRST303"} or said == "Invalid API key":
        return KeyRefused(f"{KEY_REFUSED}.")
    return DatabaseUnavailable(
        f"The database's API does not answer: {said or 'it says no more'} ({code or 'no code'})."
    )
