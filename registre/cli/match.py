"""`registre match`: what would be picked in a select of the registry's forms, one text at a time or a stream of them.

Invariant: it asks the same rules that fill the forms, and neither database nor site; a bad line of a stream is answered
in its place, and costs no other line its answer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from pydantic import BaseModel, ValidationError

from registre.cli.options import JsonFlag
from registre.cli.options_file import load_options, of_file, said
from registre.cli.output import console, show_json, show_table, show_text
from registre.errors import InvalidInput
from registre.matching import Field, Match, Option, match

EXIT_PARTIAL = 3


class _Request(BaseModel):
    """One line of `--batch`."""

    field: Field
    text: str
    options: list[Option]


def match_text(
    text: Annotated[str, typer.Argument(help="What an order says, for example 'Ste-Anne des Monts'.")] = "",
    field: Annotated[str, typer.Option(help=f"The select: {', '.join(Field)}.")] = "",
    options: Annotated[
        Path | None, typer.Option(help="The select's options: JSON, JSON lines or CSV of value and label; - is stdin.")
    ] = None,
    batch: Annotated[bool, typer.Option("--batch", help="Answer JSON lines of field, text and options.")] = False,
    source: Annotated[Path | None, typer.Option("--input", help="Where --batch reads; stdin by default.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say which option a text would pick, and why; or which doubt refuses it. Nothing is ordered.

    A refusal is an answer: exit code 0. With --batch, one line of JSON for each line read, in order; 3 if any was bad.
    """
    if batch:
        if text or field or options or as_json:
            raise InvalidInput("batch", "text, field and options come with each line; give none of them here.")
        if _answer_all(source):
            raise typer.Exit(EXIT_PARTIAL)
        return
    if source is not None:
        raise InvalidInput("input", "it goes with --batch only; the options of one text are given with --options.")
    if field not in set(Field):
        raise InvalidInput("field", f"'{field[:40]}' is unknown; one of {', '.join(Field)} is expected.")
    if options is None:
        raise InvalidInput("options", "a file with the select's options is needed.")
    found = match(text, load_options(options), Field(field))
    if as_json:
        show_json(_answer(found))
    else:
        _tell(text, found)


def _tell(text: str, found: Match) -> None:
    if found.choice is None:
        show_text(f"✗ '{text}' picks nothing: {found.reason}")
    else:
        show_text(f"✓ '{text}' picks {found.choice.value}, {found.choice.label.strip()}: {found.reason}")
    if not found.candidates:
        return
    console.print()
    marks = ["picked" if found.choice is not None else "likest", "runner-up", "third"]
    show_table(
        "The likest options",
        ("", "value", "label", "score"),
        [
            (mark, c.option.value, c.option.label.strip(), f"{c.score:.1f}")
            for mark, c in zip(marks, found.candidates, strict=False)
        ],
    )


def _answer(found: Match) -> dict[str, Any]:
    return {
        "choice": found.choice.value if found.choice is not None else None,
        "reason": found.reason,
        "candidates": [{"value": c.option.value, "label": c.option.label, "score": c.score} for c in found.candidates],
    }


def _answer_all(source: Path | None) -> int:
    """Answer every line as it comes; how many were bad."""
    bad = 0
    try:
        with source.open("rb") if source is not None else nullcontext(sys.stdin.buffer) as lines:
            for number, line in _without_trailing_blanks(lines):
                try:
                    request = _Request.model_validate_json(line)
                except ValidationError as error:
                    bad += 1
                    _write({"choice": None, "reason": f"line {number}: {said(error)}", "candidates": []})
                else:
                    _write(_answer(match(request.text, request.options, request.field)))
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise of_file("input", source, error) from None
    return bad


def _without_trailing_blanks(lines: BinaryIO | Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers. A blank line is answered like any other bad one, unless nothing follows it."""
    blanks: list[tuple[int, bytes]] = []
    for number, line in enumerate(lines, 1):
        content = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
        if not content:
            blanks.append((number, content))
            continue
        yield from blanks
        blanks.clear()
        yield number, content


def _write(answer: dict[str, Any]) -> None:
    """One line, at once, so that a program may ask the next question after reading this answer."""
    line = json.dumps(answer, ensure_ascii=False)
    if not line.isprintable():  # what would command a terminal is written out
        line = json.dumps(answer)
    sys.stdout.buffer.write(line.encode() + b"\n")
    sys.stdout.buffer.flush()
