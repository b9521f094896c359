"""The one Markdown table of a series, and what its columns mean."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.crashes.crash import Outcome
from benchmarks.crashes.law import Kind
from benchmarks.crashes.plan import KILLS

COLUMNS = ("point", "what it is", "runs", "killed", "delivered", "ambiguous", "billed", *Kind, "recovery", "slowest")

NOTES = """\
**How it was run.** Each run is a worker process with the real fleet, real browsers (Playwright, two accounts) on the twin of \
the registry, and a real PostgreSQL. It has three to six orders: two of one document, one that does not exist, one or two under \
a budget with room for one, some confirmed or chosen from a list. The worker is killed (SIGKILL) at the run's point, then in \
some runs once or twice more at points the seed picks, and each time started again. When nothing moves any more the law is \
checked; then a person settles what is ambiguous by the registry's invoice (buys again or gives up) and lifts the budget, \
everything must end, the worker drains, and the law is checked again.

* *killed* counts the runs that came to their point. In the others every order had ended before.
* *delivered*, *ambiguous*, *billed* are documents, before a person decides. The registry's bill is the twin's own. At most \
delivered + ambiguous may be billed, at least delivered + those whose charge was written; the difference is what was ambiguous \
and not billed.
* *billed twice*, *stuck*, *lost* are runs in which a document was billed again without a person's word; an order, attempt or \
purchase had no end; a secured document was not in its bucket as the ledger has it, or the spool kept something. *other* are \
runs that broke any other law: bill, ledger, costs and budgets agree; each row is the fold of its events; a purchase ends as \
its point says; no gate closed, no account set aside; no process, account lease or traceback left.
* *recovery* is the median time from the kill until nothing of what was then in hand is still in hand: started again, taken \
back, and delivered, ambiguous or waiting anew; *slowest* is the longest."""


def render(outcomes: Sequence[Outcome], circumstances: str, seconds: float) -> str:
    kills = sum(len(outcome.killed) for outcome in outcomes)
    when = f"{len(outcomes)} runs in {seconds / 60:.0f} minutes · {kills} kills"
    lines = [
        "# The worker, killed",
        "",
        f"{circumstances} · {datetime.now(UTC):%Y-%m-%d} · {when}",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
        *(
            _line(f"`{point}` | {meaning}", [outcome for outcome in outcomes if outcome.plan.point == point])
            for point, meaning in KILLS.items()
        ),
        _line("**all** | ", list(outcomes)),
        "",
        NOTES,
    ]
    return "\n".join(lines)


def _line(title: str, outcomes: Sequence[Outcome]) -> str:
    recovered = [outcome.recovered for outcome in outcomes if outcome.recovered is not None]
    cells = [
        len(outcomes),
        sum(any(kill.point == outcome.plan.point for kill in outcome.killed) for outcome in outcomes),
        *(sum(getattr(outcome, name) for outcome in outcomes) for name in ("delivered", "ambiguous", "billed")),
        *(sum(any(b.kind is kind for b in outcome.breaches) for outcome in outcomes) for kind in Kind),
        *(f"{of(recovered):.1f} s" if recovered else "–" for of in (statistics.median, max)),
    ]
    return f"| {title} | {' | '.join(str(cell) for cell in cells)} |"
