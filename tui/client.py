"""The API as the dashboard asks it: requests, and the stream of events.

Invariant: whatever can go wrong on the way is one of our errors with one sentence; the key is in no sentence and in no address.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from importlib.metadata import version
from typing import Any, TypeVar

import httpx
import msgspec
from httpx_sse import SSEError, aconnect_sse

from registre.access import Role
from registre.errors import ConfigurationError, InvalidInput, NotFound, Refused, RegistreError, Unavailable
from registre.plain import harmless
from tui import wire

VERSION = version("registre")

T = TypeVar("T", bound=wire.Wire)

ANSWER_SECONDS = 10.0
SILENCE_SECONDS = 40.0
"""A stream says something every 15 s; one that is silent for longer is dead."""


class Client:
    """One caller of one API. Used from one asyncio loop; `close` ends it."""

    def __init__(self, url: str, key: str | None, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """ConfigurationError for what is no address or no key."""
        try:
            parsed = httpx.URL(url.strip())
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
            raise ConfigurationError(
                f"'{harmless(url)[:80]}' is no address of an API, such as http://127.0.0.1:3000; set REGISTRE_API_URL or --url."
            )
        self.origin = f"{parsed.scheme}://{parsed.netloc.decode()}"
        headers = {"Accept": "application/json", "User-Agent": f"registre-tui/{VERSION}"}
        if key:
            if not key.isascii() or not key.isprintable() or " " in key:
                raise ConfigurationError("The key of the API is none: it has characters that no key has.")
            headers["X-API-Key"] = key
        self._http = httpx.AsyncClient(
            base_url=parsed, headers=headers, timeout=ANSWER_SECONDS, transport=transport, follow_redirects=False
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def check(self) -> wire.Caller:
        """That it is registre's API, of this version, and takes our key; and whose key it is.

        Raises ConfigurationError when a person must mend something, Unavailable when it does not answer.
        """
        try:
            found = await self.get("/api", wire.Index)
        except NotFound:
            raise self._stranger() from None
        if found.name != "registre":
            raise self._stranger()
        if _series(found.version) != _series(VERSION):
            raise ConfigurationError(
                f"The API at {self.origin} is of version {found.version[:20]}, this program of {VERSION}: use the same."
            )
        return await self.get("/api/caller", wire.Caller)

    async def get(self, path: str, kind: type[T], **parameters: Any) -> T:
        return await self.ask("GET", path, kind, **parameters)

    async def ask(self, method: str, path: str, kind: type[T], body: object = None, **parameters: Any) -> T:
        """The answer, read as `kind`; parameters that are None are left out."""
        answer = await self._request(method, path, body, parameters)
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.ValidationError as error:
            raise ConfigurationError(
                f"The API at {self.origin} answers otherwise than this version reads: {harmless(str(error))[:120]}. "
                "Use the same version of both."
            ) from None
        except msgspec.DecodeError:
            raise self._stranger() from None

    async def document(self, extraction_id: str) -> tuple[str, bytes]:
        """An order's document: the name it is to be saved under, and the PDF."""
        answer = await self._request("GET", f"/api/extractions/{extraction_id}/document", None, {})
        _, _, named = answer.headers.get("content-disposition", "").partition('filename="')
        name = named.partition('"')[0].replace("/", "-").lstrip(".") or f"{extraction_id}.pdf"
        return harmless(name), answer.content

    async def events(self, after: str | None) -> AsyncIterator[tuple[str, wire.Fact | None]]:
        """What happens after the cursor `after`, or from now on: each with its cursor. The first has no fact: the stream stands.

        Ends when the server lets its listeners go; Unavailable when it is gone. Whoever comes back gives the last cursor.
        """
        headers = {"Last-Event-ID": after} if after is not None else {}
        timeout = httpx.Timeout(ANSWER_SECONDS, read=SILENCE_SECONDS)
        try:
            async with aconnect_sse(self._http, "GET", "/api/events", headers=headers, timeout=timeout) as source:
                if source.response.status_code != 200:
                    await source.response.aread()
                    raise self._problem(source.response)
                yield "", None
                async for said in source.aiter_sse():
                    if said.data and said.event != "ready":  # what sets the retry has none
                        yield said.id, msgspec.json.decode(said.data, type=wire.Fact)
                    elif said.id:
                        yield said.id, None
        except (SSEError, msgspec.DecodeError):
            raise self._stranger() from None
        except httpx.HTTPError:
            raise self._away() from None

    async def _request(self, method: str, path: str, body: object, parameters: Mapping[str, Any]) -> httpx.Response:
        asked = {
            name.rstrip("_"): _written(value) for name, value in parameters.items() if value is not None
        }  # `from_` is a word of Python's
        try:
            answer = await self._http.request(method, path, params=asked, json=body)
        except httpx.HTTPError:
            raise self._away() from None
        except httpx.InvalidURL:
            raise InvalidInput("id", "it can be in no address.") from None
        if not answer.is_success:
            raise self._problem(answer)
        return answer

    def _stranger(self) -> ConfigurationError:
        return ConfigurationError(f"What answers at {self.origin} is not the API of registre, or of another version.")

    def _away(self) -> Unavailable:
        return Unavailable(f"The API at {self.origin} does not answer; is it running?")

    def _problem(self, answer: httpx.Response) -> RegistreError:
        """The server's own sentence, under the class of who must act."""
        status, said = answer.status_code, _sentence_of(answer)
        match status:
            case 401 if said:
                return ConfigurationError(
                    f"The API at {self.origin} refuses this key; REGISTRE_API_KEY takes one that `registre keys add` made."
                )
            case 403:
                return Refused(said or "The key's role does not cover this.")
            case 404 if said:
                return NotFound(said)
            case 409:
                return Refused(said or "A rule forbids it now.")
            case 400 | 413 | 422 if said:
                return InvalidInput("request", said)
            case 503:
                return Unavailable(said or f"The API at {self.origin} cannot answer now.")
            case _ if status >= 500:
                return Unavailable(said or f"The API at {self.origin} fails ({status}).")
            case _:
                return self._stranger()


def may(role: Role, needed: Role, *, read_only: bool) -> bool:
    """Whether something of the role `needed` is offered at all; the server judges again."""
    return role.covers(needed) and (needed is Role.VIEWER or not read_only)


def _series(text: str) -> tuple[str, ...]:
    """What two versions must share to understand each other."""
    return tuple(text.split(".")[:2])


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sentence_of(answer: httpx.Response) -> str:
    """What a problem says, in any of the API's bodies; '' for what is none of them."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    details = body.get("details")
    if isinstance(details, list) and details and isinstance(details[0], dict):
        return harmless(f"{details[0].get('field', '')}: {details[0].get('message', '')}")[:300]
    said = body.get("detail") or body.get("error") or ""
    return harmless(said)[:300] if isinstance(said, str) else ""
