"""A labelled request, and the labelled set: written by hand, each label given without asking the rules."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from registre.matching import Field, Option

HERE = Path(__file__).parent
HELD_OUT_EVERY = 4
LAST_BLIND = 916
"""Pairs after this one were all looked at while the rules were tuned, so none of them counts as held out."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One labelled request; `expected` is None when only a refusal is right."""

    id: int
    field: Field
    text: str
    options: tuple[Option, ...]
    expected: str | None
    category: str

    @property
    def held_out(self) -> bool:
        return self.id <= LAST_BLIND and self.id % HELD_OUT_EVERY == 0


def load() -> list[Pair]:
    """The labelled set."""
    lists = {
        name: tuple(Option(value, label) for value, label in options)
        for name, options in json.loads((HERE / "options.json").read_text(encoding="utf-8")).items()
    }
    rows = map(json.loads, (HERE / "labelled.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        Pair(r["id"], Field(r["field"]), r["text"], lists[r["options"]], r["expected"], r["category"]) for r in rows
    ]
