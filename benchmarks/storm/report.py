"""The report of a storm, in Markdown, and what its lines mean."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from benchmarks.crashes.law import Kind
from benchmarks.storm.storm import BUDGETS, SESSIONS, Outcome
from benchmarks.storm.weather import LEFT_OUT
from registre.twin.faults import FAULTS

_SHORTER = ", ".join(f"{name} {seconds:g} s" for name, seconds in BUDGETS.items())
NOTES = f"""\
**How it was run.** One worker process with the real fleet and {SESSIONS} accounts in a real Chromium, on the twin of the \
registry and a real PostgreSQL. Orders of every source and kind, one in ten put into the table as another program would. All \
the while the twin shows one bad manner after the other, in an order and on pages that the seed picks, each until some orders \
have ended. A person settles what is in doubt by the registry's invoice (buys again or gives up, as the seed says), looks at a \
form that is as it was again, and gives a refused account its password again. Budgets of the pages are shorter than in life \
({_SHORTER}); delays are pulled forward.

Left out: {", ".join(sorted(LEFT_OUT))} (a connection that is kept and breaks is repeated by Chromium itself; the program can \
only warn)."""


def render(outcome: Outcome, circumstances: str) -> str:
    by_kind = Counter(breach.kind for breach in outcome.breaches)
    ended = ", ".join(f"{n} {status}" for status, n in sorted(outcome.statuses.items()))
    purchases = ", ".join(f"{n} {state}" for state, n in sorted(outcome.purchases.items()))
    size = f"seed {outcome.seed} · {outcome.orders} orders in {outcome.seconds / 60:.0f} minutes"
    lines = [
        "# Orders in a storm",
        "",
        f"{circumstances} · {datetime.now(UTC):%Y-%m-%d} · {size}",
        "",
        "| what | seen |",
        "|---|---|",
        f"| ordered | {outcome.orders} |",
        f"| ended | {ended} |",
        f"| served with a document already owned | {outcome.reused} |",
        f"| our ledger | {purchases} |",
        f"| billed by the registry | {outcome.billed} |",
        f"| bill and ledger differ | {by_kind[Kind.OTHER]} |",
        *(f"| {kind} | {by_kind[kind]} |" for kind in Kind if kind is not Kind.OTHER),
        f"| a person had to | {', '.join(f'{what} ({n})' for what, n in sorted(outcome.person.items())) or 'do nothing'} |",
        "",
        "| ended in 'Erreur' | orders | for example |",
        "|---|---|---|",
        *(f"| {kind} | {n} | {outcome.examples[kind]} |" for kind, n in outcome.errors.most_common()),
        "",
        "| bad manner | times |",
        "|---|---|",
        *(f"| {name} | {outcome.gusts[name]} |" for name in FAULTS if name not in LEFT_OUT),
        "",
        *(f"* **{breach.kind}**: {breach.sentence}" for breach in outcome.breaches),
        NOTES,
    ]
    return "\n".join(lines)
