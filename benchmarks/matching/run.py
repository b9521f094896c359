"""Measure matching beside the predecessor's rule: `python -m benchmarks.matching.run [--full]`.

Two sets: pairs labelled by hand, of which every fourth of the older ones is held out (reported apart, and not looked at
while the rules are tuned), and pairs made from the twin's names. Exit 1 on any wrong pick of ours, or when fewer than 95 %
of the labelled pairs with a right answer get it. `--full` takes every misspelling of every name, some minutes.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from rapidfuzz.fuzz import ratio

from benchmarks.matching.generated import SAMPLE_EVERY, generate
from benchmarks.matching.pairs import Pair, load
from registre.matching import Field, Option, match

TARGET = 0.95

Rule = Callable[[str, Sequence[Option], Field], "str | None"]


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
    total, told = report(tuned, ours, "registre.matching, labelled pairs used for tuning")
    totals_held_out, told_held_out = report(held_out, ours, "registre.matching, labelled pairs held out")
    took = time.perf_counter() - started
    report(pairs, predecessor, "the predecessor's rule, all labelled pairs")
    made = list(generate(every=1 if "--full" in sys.argv else SAMPLE_EVERY))
    of_made, told_made = report(made, ours, "registre.matching, pairs made from the twin's names")
    report(made, predecessor, "the predecessor's rule, the same")
    total += totals_held_out
    print("\nOurs, not right (of the pairs made, the wrong ones only):")
    for line in sorted([*told, *told_held_out, *(t for t in told_made if t.startswith("wrong"))], reverse=True):
        print(f"  {line}")
    share = total["right, answerable"] / total["answerable"]
    of_share = of_made["right, answerable"] / of_made["answerable"]
    print(
        f"\nLabelled: {total['wrong']} wrong picks; {share:.1%} found where one right answer exists;"
        f" {took / len(pairs):.2g} s each.\nMade: {of_made['wrong']} wrong picks; {of_share:.1%} found."
    )
    return 0 if total["wrong"] == of_made["wrong"] == 0 and share >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
