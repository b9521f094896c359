"""One verdict for each row of an order file: an order, or the sentence that says what to mend.

Invariant: a row becomes an order only as it is written; what Excel, a formula or a merge may have changed is refused, and so is
the second row that asks for the same document.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from registre.document import DocumentRequest, Source, fold
from registre.errors import InvalidInput
from registre.job import Order
from registre.orders.cells import Kind, Row, would_compute
from registre.orders.columns import Header
from registre.orders.moments import read_moment
from registre.orders.reading import OrdersFile

PRIORITIES = range(-1000, 1001)
MAX_NAME = 100

_SOURCES = {
    "acte": Source.ACTE,
    "actes": Source.ACTE,
    "index": Source.INDEX,
    "index des immeubles": Source.INDEX,
    "index aux immeubles": Source.INDEX,
    "plan": Source.PLAN,
    "plans": Source.PLAN,
    "plan cadastral": Source.PLAN,
    "plan cadastraux": Source.PLAN,
    "plans cadastraux": Source.PLAN,
}
_DASHES = frozenset("-‐‑‒–—−")
_SHORTENED = re.compile(r"[0-9]+(?:[.,][0-9]+)?E[+-]?[0-9]+", re.IGNORECASE)
_MONTHS = "janv|jan|févr|fevr|feb|fév|mars|mar|avr|apr|mai|may|juin|jun|juil|jul|août|aout|aug|sept|sep|oct|nov|déc|dec"
_MADE_A_DATE = re.compile(
    rf"[0-9]{{1,4}}[- ](?:{_MONTHS})\.?(?:[- ][0-9]{{2,4}})?|(?:{_MONTHS})\.?-[0-9]{{1,4}}"
    r"|(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]",
    re.IGNORECASE,
)
"""What becomes of lot 10-2 in a spreadsheet; no lot has a month, or a zero before a part of its number."""
_TURNS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_MARKS = frozenset("\u061c\u200e\u200f")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rows that do not say it themselves; `fresh` holds for all."""

    client: str = ""
    priority: int = 0
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """A row that can be ordered."""

    row: int
    order: Order


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot. `sentence` names the field, or the row as a whole."""

    row: int
    field: str
    sentence: str


Verdict = Accepted | Rejected


def judge(file: OrdersFile, defaults: Defaults, now: datetime) -> Iterator[Verdict]:
    """The verdicts, one for each row and in their order, as they are reached."""
    first: dict[str, int] = {}
    for row in file.rows:
        try:
            order = _order(row, file.header, defaults, now)
            before = first.setdefault(order.request.identity_key, row.number)
            if before != row.number:
                raise InvalidInput("document_number", f"repeats row {before}; the same document is not ordered twice.")
        except InvalidInput as error:
            yield Rejected(row.number, error.field, error.message)
        else:
            yield Accepted(row.number, order)


def valid_client(client: str, field: str = "client") -> str:
    """`client`, or InvalidInput when it is too long to be a name, or would command a terminal that shows it."""
    if len(client) > MAX_NAME:
        raise InvalidInput(field, f"{len(client)} characters are too many; at most {MAX_NAME} are accepted.")
    if any(map(_commands, client)):
        raise InvalidInput(field, "control characters and broken text are not accepted.")
    return client


def _commands(character: str) -> bool:
    return (
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(character) in _TURNS
        or character in _MARKS
    )


def _order(row: Row, header: Header, defaults: Defaults, now: datetime) -> Order:
    if row.fault:
        raise InvalidInput("row", row.fault)
    texts = {field: _text(row, field, place) for field, place in header.fields.items()}

    def text(field: str) -> str:
        return texts.get(field, "")

    request = DocumentRequest(
        _source(text("document_source")),
        _number(text("document_number")),
        text("circonscription_fonciere"),
        text("cadastre"),
        text("designation_secondaire"),
        text("acte_type"),
    ).validate()
    not_before, deadline = _moments(text("not_before"), text("deadline"), now)
    return Order(
        request,
        client=valid_client(text("client") or defaults.client),
        priority=_priority(text("priority"), defaults.priority),
        fresh=defaults.fresh,
        not_before=not_before,
        deadline=deadline,
    )


def _text(row: Row, field: str, place: int) -> str:
    """The cell as typed. A dash alone, as people fill empty cells with it, is nothing."""
    cell = row.at(place)
    if cell.fault:
        raise InvalidInput(field, cell.fault)
    if cell.kind is Kind.DATE and field not in {"not_before", "deadline"}:
        raise InvalidInput(field, f"Excel has made this a date ({cell.text}); make the column text and type it again.")
    if cell.text in _DASHES:
        return ""
    if cell.kind is Kind.TEXT and would_compute(cell.text):
        raise InvalidInput(field, f"'{cell.text[:40]}' would be a formula in Excel; write its value instead.")
    return cell.text


def _source(text: str) -> Source:
    if not text:
        raise InvalidInput("document_source", "what is to be ordered is not said: acte, index or plan.")
    source = _SOURCES.get(fold(text[:100]))
    if source is None:
        raise InvalidInput("document_source", f"'{text[:40]}' is unknown; acte, index or plan is expected.")
    return source


def _number(text: str) -> str:
    if _SHORTENED.fullmatch(text) and not text.isalnum():
        raise InvalidInput(
            "document_number", f"Excel has shortened this number ({text[:40]}); make the column text and type it again."
        )
    if _MADE_A_DATE.fullmatch(text):
        raise InvalidInput(
            "document_number",
            f"Excel has made this number a date ({text[:40]}); make the column text and type it again.",
        )
    return text


def _priority(text: str, default: int) -> int:
    if not text:
        return default
    if not re.fullmatch(r"[+-]?[0-9]{1,4}", text, re.ASCII) or int(text) not in PRIORITIES:
        raise InvalidInput("priority", f"'{text[:40]}' is not a whole number from {PRIORITIES[0]} to {PRIORITIES[-1]}.")
    return int(text)


def _moments(not_before: str, deadline: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    start = read_moment("not_before", not_before, end_of_day=False) if not_before else None
    end = read_moment("deadline", deadline, end_of_day=True) if deadline else None
    if end is not None and end <= now:
        raise InvalidInput("deadline", f"'{deadline[:40]}' is past.")
    if end is not None and start is not None and end <= start:
        raise InvalidInput("deadline", f"'{deadline[:40]}' is not after not_before, '{not_before[:40]}'.")
    return start, end
