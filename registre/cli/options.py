"""What several commands ask for in the same words: who acts, how much, which day.

Invariant: a value that cannot be read is an InvalidInput naming the option; nothing is guessed.
"""

from __future__ import annotations

import getpass
import re
import uuid
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from registre.errors import InvalidInput
from registre.job import JobId

TORONTO = ZoneInfo("America/Toronto")
"""The registry's own time: days of fees, budgets and hours are counted in it."""


def current_user() -> str:
    """Who acts, unless told otherwise: the name of the system's user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "the command line"


JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
AuthorOption = Annotated[str, typer.Option(help="Who decides; kept with the decision.", default_factory=current_user)]


def job_id_of(text: str) -> JobId:
    try:
        return JobId(str(uuid.UUID(text)))
    except ValueError:
        raise InvalidInput("job id", f"'{text[:60]}' is not an id; `registre jobs list` shows them.") from None


def batch_id_text(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise InvalidInput("batch", f"'{text[:60]}' is not an id; `registre batches list` shows them.") from None


def cents_of(text: str, option: str) -> int:
    """`'100'`, `'100,50'`, `'1 500.00 $'` → cents."""
    plain = re.sub(r"[\s\u00a0\u202f$]", "", text)
    if not re.fullmatch(r"\d{1,9}([.,]\d{1,2})?", plain):
        raise InvalidInput(option, f"'{text[:30]}' is not an amount in dollars, such as 150 or 150,00.")
    whole, _, part = plain.replace(",", ".").partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or "0")


def instant_of(text: str, option: str) -> datetime:
    """An instant, or a day's midnight; without an offset it is local time of America/Toronto."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(option, f"'{text[:30]}' is not an instant, such as 2026-12-01T08:00.") from None
    return at if at.tzinfo else at.replace(tzinfo=TORONTO)
