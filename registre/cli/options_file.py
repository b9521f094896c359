"""A select's options from a file: a JSON list or JSON lines of `{"value", "label"}`, or CSV of value and label.

Invariant: a file is read whole or refused with one sentence that names the line to mend.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from registre.errors import InvalidInput
from registre.matching import Option

_OPTION = TypeAdapter(Option)
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def load_options(path: Path) -> list[Option]:
    """The options in the file's order; `-` reads stdin. InvalidInput names the line that is no option."""
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise of_file("options", path, error) from None
    return parse_options(content)


def parse_options(content: bytes) -> list[Option]:
    """What `load_options` does with the bytes. A list begins with `[`, JSON lines with `{`; anything else is CSV."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidInput("options", f"line {line}: this is not UTF-8 text.") from None
    start = text.lstrip()[:1]
    if not start:
        raise InvalidInput("options", "line 1: the file is empty.")
    read = {"[": _json_list, "{": _json_lines}.get(start, _csv)
    try:
        options = [_option(line, item) for line, item in read(text)]
    except json.JSONDecodeError as error:
        raise InvalidInput("options", f"line {error.lineno}: this is not JSON ({error.msg}).") from None
    except RecursionError:
        raise InvalidInput("options", "line 1: this is nested too deeply for a list of options.") from None
    if not options:
        raise InvalidInput("options", "line 1: the file holds no option.")
    return options


def said(error: ValidationError) -> str:
    """The first thing wrong, as one sentence that begins with the field's name."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return f"this is not JSON ({first['ctx']['error'].replace(' at line 1 ', ' at ')})."
    where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
    message = f"{first['msg'][:200].rstrip('.')}."
    return f"{where}: {message[0].lower()}{message[1:]}" if where else message


def of_file(field: str, path: Path | None, error: OSError) -> InvalidInput:
    """The sentence for a file that cannot be read."""
    return InvalidInput(field, f"{path or 'stdin'} cannot be read: {error.strerror or error}.")


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _option(line: int, item: Any) -> Option:
    try:
        return _OPTION.validate_python(item)
    except ValidationError as error:
        if not isinstance(item, dict):
            raise InvalidInput("options", f'line {line}: an option is an object {{"value", "label"}}.') from None
        raise InvalidInput("options", f"line {line}: {said(error)}") from None


def _json_list(text: str) -> Iterator[tuple[int, Any]]:
    """Each item with the line it begins on."""
    at = _after_space(text, text.index("[") + 1)
    while text[at : at + 1] != "]":
        item, end = _DECODER.raw_decode(text, at)
        yield text.count("\n", 0, at) + 1, item
        at = _after_space(text, end)
        if text[at : at + 1] == ",":
            at = _after_space(text, at + 1)
        elif text[at : at + 1] != "]":
            raise json.JSONDecodeError("expecting ',' or ']'", text, at)
    end = _after_space(text, at + 1)
    if end < len(text):
        raise json.JSONDecodeError("something follows the list", text, end)


def _json_lines(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except json.JSONDecodeError as error:
            raise InvalidInput("options", f"line {number}: this is not JSON ({error.msg}).") from None


def _csv(text: str) -> Iterator[tuple[int, Any]]:
    """Rows of value and label; a first row of these two words names the columns. A semicolon may part them."""
    first = text.lstrip().split("\n", 1)[0]
    mark = next((mark for mark in (",", ";", "\t") if mark in first), ",")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    began = 1
    try:
        for row in rows:
            line, began = began, rows.line_num + 1
            if not row or [cell.strip().lower() for cell in row] == ["value", "label"]:
                continue
            if len(row) != 2:
                columns = f"{len(row)} column{'s' * (len(row) != 1)}"
                raise InvalidInput(
                    "options",
                    f"line {line}: {columns} where value and label are expected (quote a label that holds a {mark!r}).",
                )
            yield line, {"value": row[0], "label": row[1]}
    except csv.Error as error:
        raise InvalidInput("options", f"line {began}: this is not CSV ({error}).") from None
