"""The report of a proof, in Markdown, and what its lines mean."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from benchmarks.crashes.law import Kind
from benchmarks.supervisord.proof import ACCOUNTS, Outcome

NOTES = f"""\
**How it was run.** A real supervisord with what `registre supervisord --with-redis` prints: a Redis, the tasks, the worker with \
{ACCOUNTS} accounts in a real Chromium, and the API; in front of the twin of the registry and a real PostgreSQL. Orders of every \
source and kind, some of which end in an error as they should. Each program gets kill -9 once, in an order and after numbers of \
ended orders that the seed picks. A person looks at the registry's invoice where a kill left in doubt whether a document was \
billed, and has it bought again."""


def render(outcome: Outcome, circumstances: str) -> str:
    by_kind = Counter(breach.kind for breach in outcome.breaches)
    ended = ", ".join(f"{n} {status}" for status, n in sorted(outcome.statuses.items()))
    purchases = ", ".join(f"{n} {state}" for state, n in sorted(outcome.purchases.items()))
    size = f"seed {outcome.seed} · {outcome.orders} orders in {outcome.seconds / 60:.1f} minutes"
    lines = [
        "# A host under supervisord, each program killed once",
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
        f"| bill and ledger differ, or something else is wrong | {by_kind[Kind.OTHER]} |",
        *(f"| {kind} | {by_kind[kind]} |" for kind in Kind if kind is not Kind.OTHER),
        f"| in doubt after a kill, settled by a person | {outcome.person.total()} |",
        "",
        "| killed | after so many orders | supervisord runs it again after |",
        "|---|---|---|",
        *(f"| {killing.program} | {killing.after} | {killing.seconds:.1f} s |" for killing in outcome.killings),
        "",
        "| ended in 'Erreur' | orders | for example |",
        "|---|---|---|",
        *(f"| {kind} | {n} | {outcome.examples[kind]} |" for kind, n in outcome.errors.most_common()),
        "",
        *(f"* **{breach.kind}**: {breach.sentence}" for breach in outcome.breaches),
        NOTES,
    ]
    return "\n".join(lines)
