"""Measure matching on the labelled set, beside the predecessor's rule: `python -m benchmarks.matching.run`.

Every fourth pair is held out: it is reported apart, and was not looked at while the rules were tuned. Exit 1 on any wrong
pick of ours, or when fewer than 95 % of the pairs with a right answer get it.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.fuzz import ratio

from registre.matching import Field, Option, match

HERE = Path(__file__).parent
HELD_OUT_EVERY = 4
TARGET = 0.95

Rule = Callable[[str, Sequence[Option], Field], "str | None"]


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
        return self.id % HELD_OUT_EVERY == 0


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


def ours(text: str, options: Sequence[Option], field: Field) -> str | None:
    """What `registre.matching` chooses."""
    choice = match(text, options, field).choice
    return choice.value if choice else None


def predecessor(text: str, options: Sequence[Option], field: Field) -> str | None:
    """The rule of the program before: any option above 60 %, the best wins; every Québec is `000001`."""
    if field is Field.CADASTRE and "québec" in text.lower() and any(o.value == "000001" for o in options):
        return "000001"
    score, best = max(((_likeness(text, o.label), o) for o in options), key=lambda pair: pair[0])
    return best.value if score > 60 else None


def _likeness(text: str, label: str) -> float:
    a, b = text.lower().strip(), label.lower().strip()
    if a in b or b in a:
        return 80.0 if a != b else 100.0
    return ratio(a, b)


def outcome(expected: str | None, got: str | None) -> str:
    """`right`, `wrong`, or `refused`; a refusal that was due counts as right."""
    if got == expected:
        return "right"
    return "refused" if got is None else "wrong"


def report(pairs: Sequence[Pair], rule: Rule, title: str) -> tuple[Counter[str], list[str]]:
    """Print the table of one rule over some pairs; return its totals and its wrong picks and lost ones, in full."""
    by_category: defaultdict[str, Counter[str]] = defaultdict(Counter)
    total: Counter[str] = Counter()
    told: list[str] = []
    for pair in pairs:
        got = rule(pair.text, pair.options, pair.field)
        result = outcome(pair.expected, got)
        answerable = "answerable" if pair.expected is not None else "to refuse"
        for counter in (by_category[pair.category], total):
            counter[result] += 1
            counter[answerable] += 1
            counter[f"{result}, {answerable}"] += 1
        if result != "right":
            labels = {o.value: o.label.strip() for o in reversed(pair.options)}
            told.append(
                f"{result:8} {pair.id:4} {pair.category}: {pair.text!r} → {labels.get(got or '', got)!r},"
                f" expected {labels.get(pair.expected or '', pair.expected) if pair.expected else 'a refusal'!r}"
            )
    print(f"\n{title}: {len(pairs)} pairs")
    print(f"  {'category':36}{'pairs':>6}{'wrong':>7}{'right':>7}{'refused':>9}{'found, of answerable':>22}")
    for name, counter in [*sorted(by_category.items()), ("all", total)]:
        found = f"{counter['right, answerable']}/{counter['answerable']}"
        pairs_count = counter["answerable"] + counter["to refuse"]
        print(f"  {name:36}{pairs_count:6}{counter['wrong']:7}{counter['right']:7}{counter['refused']:9}{found:>22}")
    return total, told


def main() -> int:
    pairs = load()
    tuned = [pair for pair in pairs if not pair.held_out]
    held_out = [pair for pair in pairs if pair.held_out]
    started = time.perf_counter()
    total, told = report(tuned, ours, "registre.matching, pairs used for tuning")
    totals_held_out, told_held_out = report(held_out, ours, "registre.matching, held out")
    took = time.perf_counter() - started
    report(pairs, predecessor, "the predecessor's rule, all pairs")
    total += totals_held_out
    print("\nOurs, not right:")
    for line in sorted([*told, *told_held_out], reverse=True):
        print(f"  {line}")
    share = total["right, answerable"] / total["answerable"]
    print(
        f"\n{total['wrong']} wrong picks; {share:.1%} found where one right answer exists; {took / len(pairs):.2g} s each."
    )
    return 0 if total["wrong"] == 0 and share >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
