"""What goes into a match and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Field(StrEnum):
    """The select that is being filled; names are read differently in each."""

    CIRCONSCRIPTION = "circonscription"
    CADASTRE = "cadastre"
    DESIGNATION = "designation"
    ACTE_TYPE = "acte_type"


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a select: what is sent, and what is shown."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An option with its likeness to the request, 0 to 100. Shown to people; never decides."""

    option: Option
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """`choice` is None for a refusal; `reason` is for a person; `candidates` are the best three, best first."""

    choice: Option | None
    reason: str
    candidates: tuple[Candidate, ...]
