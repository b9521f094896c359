"""Take secrets and cookies out of what is kept as evidence: texts, and Playwright's traces.

Invariant: no form in which a browser or a driver writes a secret down is left: as typed, in HTML, in an address or a posted
form (UTF-8 or windows-1252), in JSON. A trace that cannot be cleaned is not kept at all.
"""

from __future__ import annotations

import html
import json
import re
import zipfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "•••"
_SECRET_HEADERS = frozenset(("cookie", "set-cookie", "authorization", "proxy-authorization"))
_DROPPED = frozenset(("cookies", "storageState", "httpCredentials"))
_HEX = re.compile("%[0-9A-F]{2}")
_PICTURES = (".png", ".jpeg", ".jpg", ".gif", ".webp", ".woff", ".woff2", ".ico")


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text with every written form of every secret masked."""
    for secret in secrets:
        for written in _written(secret):
            text = text.replace(written, MASK)
    return text


def clean_trace(source: Path, target: Path, secrets: tuple[str, ...], max_bytes: int) -> bool:
    """Write the trace at `source` to `target` without secrets and cookies; False, and no file, when it cannot be.

    It cannot be when it is no zip, or would weigh more than `max_bytes` unpacked. `source` is left alone.
    """
    try:
        with zipfile.ZipFile(source) as trace:
            if sum(member.file_size for member in trace.infolist()) > max_bytes:
                return False
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as clean:
                for member in trace.infolist():
                    clean.writestr(
                        redact(member.filename, secrets), _clean(member.filename, trace.read(member), secrets)
                    )
    except (OSError, zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError, EOFError):
        target.unlink(missing_ok=True)
        return False
    return True


def _clean(name: str, content: bytes, secrets: tuple[str, ...]) -> bytes:
    if name.endswith(_PICTURES):
        return content
    if name.endswith((".trace", ".network", ".stacks")):
        lines = content.decode("utf-8", "surrogateescape").split("\n")
        content = "\n".join(_clean_line(line, secrets) for line in lines).encode("utf-8", "surrogateescape")
    mask = MASK.encode()
    for secret in secrets:
        for written in _written(secret):
            for encoding in ("utf-8", "cp1252", "utf-16-le"):
                content = content.replace(written.encode(encoding, "replace"), mask)
    return content


def _clean_line(line: str, secrets: tuple[str, ...]) -> str:
    try:
        return json.dumps(_clean_value(json.loads(line), secrets), ensure_ascii=False)
    except (json.JSONDecodeError, RecursionError):
        return redact(line, secrets)


def _clean_value(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, list):
        return [_clean_value(item, secrets) for item in value]
    if not isinstance(value, dict):
        return value
    cleaned = {redact(key, secrets): _clean_value(item, secrets) for key, item in value.items() if key not in _DROPPED}
    if str(value.get("name", "")).lower() in _SECRET_HEADERS and "value" in cleaned:
        cleaned["value"] = MASK
    for key in cleaned:
        if key.lower() in _SECRET_HEADERS and isinstance(cleaned[key], str):
            cleaned[key] = MASK
    return cleaned


@lru_cache(maxsize=64)
def _written(secret: str) -> tuple[str, ...]:
    """Every way the secret may stand in a text, the longest first, so that no remainder of one is left by another."""
    if not secret:
        return ()
    forms = {secret, html.escape(secret), html.escape(secret, quote=False), _as_attribute(secret)}
    for encoding in ("utf-8", "cp1252"):
        forms |= {
            quote(secret, encoding=encoding, errors="replace"),
            quote(secret, safe="", encoding=encoding, errors="replace"),
            quote(secret, safe="!'()*-._~", encoding=encoding, errors="replace"),  # JavaScript's encodeURIComponent
            quote_plus(secret, encoding=encoding, errors="replace"),
            quote_plus(secret, safe="*-._", encoding=encoding, errors="replace").replace("~", "%7E"),  # a posted form
        }
    forms |= {_HEX.sub(lambda code: code[0].lower(), form) for form in forms}
    for _ in range(2):  # a JSON text is itself often a string in another
        for form in tuple(forms):
            forms |= {json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1]}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def _as_attribute(secret: str) -> str:
    """As a browser serialises an attribute: the ampersand, the quote and the no-break space."""
    return secret.replace("&", "&amp;").replace("\u00a0", "&nbsp;").replace('"', "&quot;")
