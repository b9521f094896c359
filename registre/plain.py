"""Text that people and programs give: what of it may be kept and shown.

Invariant: a text that passed `plain_text` commands no terminal, breaks no line and fits its column.
"""

from __future__ import annotations

import re

from registre.errors import InvalidInput

_COMMANDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a terminal's cursor, colours it, or turns the direction of writing; and halves of characters."""


def harmless(text: str) -> str:
    """`text` in one line, with what would command a terminal written out: `'\\x1b[31m'`."""
    return _COMMANDS.sub(lambda m: m[0].encode("unicode_escape").decode(), text)


def as_json_escapes(text: str) -> str:
    """JSON `text` with the same characters as JSON escapes."""
    return _COMMANDS.sub(lambda m: f"\\u{ord(m[0]):04x}", text)


def plain_text(text: str, field: str, limit: int = 200) -> str:
    """Text that a person gives a name or a reason; control characters and floods are refused."""
    if len(text) > limit:
        raise InvalidInput(field, f"{len(text)} characters are too many; at most {limit} are accepted.")
    if _COMMANDS.search(text):
        raise InvalidInput(field, "control characters and broken text are not accepted.")
    return text
