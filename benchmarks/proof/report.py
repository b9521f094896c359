"""The report of a proof, in Markdown, with its chart, and what its lines mean."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from statistics import median

import pygal
from pygal.style import CleanStyle

from benchmarks.crashes.law import Kind
from benchmarks.proof.blows import Blow
from benchmarks.proof.proof import Outcome
from benchmarks.proof.watch import RECOVERY_SECONDS

POINTS = 300
NOTES = """\
**How it was run.** One host as in production: worker, tasks and API under supervisord, a broker, a real PostgreSQL \
that syncs to disk, a real Chromium on the twin of the registry, documents into the buckets of a Supabase stand-in. \
Orders of every source and kind: a third before the start, one in ten as a row of another program, the others over \
HTTP by clients that send each order until it is acknowledged, with one `Idempotency-Key`. One blow after the other \
falls, in an order that the seed picks, each kind once before any comes again and then sometimes two at once; all the \
while the twin shows one bad manner after the other. A person settles what is in doubt by the registry's invoice, \
looks at a form that is as it was again, and gives a refused account its password again. Budgets of the pages and \
leases are shorter than in life; delays are pulled forward.

*Recovery* is the time from the end of the blow until an order that was begun afterwards is delivered, whatever the site's \
weather; after the API was killed, until it says that it is ready."""


def chart_of(outcome: Outcome) -> str:
    """Orders ended over time, with a mark where each blow was over: an SVG."""
    chart = pygal.XY(
        style=CleanStyle,
        js=[],
        show_legend=False,
        x_title="minutes",
        y_title="orders ended",
        width=900,
        height=360,
        dots_size=3,
        show_y_guides=True,
        include_x_axis=True,
        no_prefix=True,
        title=f"{outcome.orders} orders under fire",
    )
    step = max(1, len(outcome.progress) // POINTS)
    line = outcome.progress[::step] + outcome.progress[-1:]
    chart.add("ended", [(at / 60, ended) for at, ended in line], show_dots=False)

    def ended_at(seconds: float) -> int:
        return max((ended for at, ended in outcome.progress if at <= seconds), default=0)

    marks = [
        {"value": (each.over_at / 60, ended_at(each.over_at)), "label": " and ".join(each.blows)}
        for each in outcome.struck
    ]
    chart.add("blows", marks, stroke=False)
    return str(chart.render(is_unicode=True))


def render(outcome: Outcome, circumstances: str, chart_name: str | None) -> str:
    count = {kind: sum(breach.kind is kind for breach in outcome.breaches) for kind in Kind}
    blows = sum(len(each.blows) for each in outcome.struck)
    size = (
        f"{outcome.orders} orders in {outcome.seconds / 60:.0f} minutes, {blows} blows, {outcome.gusts.total()} gusts"
    )
    listed = {
        name: ", ".join(f"{n} {what}" for what, n in sorted(counted.items())) or "none"
        for name, counted in (
            ("statuses", outcome.statuses),
            ("errors", outcome.errors),
            ("purchases", outcome.purchases),
            ("person", outcome.person),
            ("again", outcome.again),
        )
    }
    lines = [
        "# Proof under fire",
        "",
        f"{circumstances} · {datetime.now(UTC):%Y-%m-%d} · seed {outcome.seed} · {size}",
        "",
        *([f"![Orders ended over time, and the blows]({chart_name})", ""] if chart_name else []),
        "| what | seen |",
        "|---|---|",
        f"| ordered | {outcome.orders}, of them {outcome.through_api} over HTTP |",
        f"| an order had to be sent again | {listed['again']} |",
        f"| ended | {listed['statuses']} |",
        f"| explained errors | {listed['errors']} |",
        f"| served with a document already owned | {outcome.reused} |",
        f"| our ledger | {listed['purchases']} |",
        f"| billed by the twin | {outcome.billed} |",
        *(f"| {kind} | {count[kind]} |" for kind in Kind if kind is not Kind.OTHER),
        f"| other laws broken | {count[Kind.OTHER]} |",
        f"| a person had to | {listed['person']} |",
        "",
        "| blow | times | recovery, median | slowest |",
        "|---|---|---|---|",
        *_recoveries(outcome),
        "",
        *(f"* **{breach.kind}**: {breach.sentence}" for breach in outcome.breaches),
        *([""] if outcome.breaches else []),
        NOTES,
    ]
    return "\n".join(lines)


def _recoveries(outcome: Outcome) -> list[str]:
    times: dict[Blow, list[float | None]] = defaultdict(list)
    for each in outcome.struck:
        for blow in each.blows:
            times[blow].append(each.recovery_seconds)
    rows = []
    for blow in Blow:
        taken = times[blow]
        if blow in outcome.left_out:
            rows.append(f"| {blow} | left out: this machine gives no disk of its own | | |")
        elif not taken:
            rows.append(f"| {blow} | 0 | | |")
        else:
            known = sorted(seconds for seconds in taken if seconds is not None)
            late = len(taken) - len(known)
            slowest = f"more than {RECOVERY_SECONDS:.0f} s ({late})" if late else f"{known[-1]:.1f} s"
            rows.append(f"| {blow} | {len(taken)} | {f'{median(known):.1f} s' if known else ''} | {slowest} |")
    return rows
