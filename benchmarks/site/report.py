"""The Markdown tables of a run, what their numbers mean, and which of our targets they miss."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks.queue.systems import machine
from benchmarks.site.tree import Used

if TYPE_CHECKING:
    from benchmarks.site.run import Results

SHARE_OF_BARE = 0.9
IDLE_MB = 60.0
IDLE_SESSIONS = 20
BACK_SECONDS = 5.0

NOTES = """\
**How it was measured.** One twin of the registry in a process of its own, on the same machine; its time is in none of the \
numbers, but it shares the processors. Both sides sign in, fetch one document a session unmeasured, then the measured \
ones: the same mixture, the same number, one side after the other, in rounds that begin with the one and the other in \
turn; each number is the median of its rounds, a ratio that of the rounds' ratios. What other programs disturbed was \
repeated while there was time. The twin has no loading page here, and no pace holds us back.

* *Ours* is the worker as `registre up` runs it, with its PostgreSQL (fsync on), spool and buckets on one disk: time runs \
from the call that submits the orders to the last closed row, document in its bucket.
* *Bare* is `benchmarks/site/bare.py`: the same pages with the same Chromium and the same arguments, one Chromium for all \
sessions, every wait for what the step brings, and nothing else: time runs from the first page to the last file saved. It \
keeps its connections, which ours may not (a document could be billed twice).
* *Mixture*: half actes, three tenths index, a fifth plans with their confirmation; a fifth of all through a list.
* *Processor* is user and system time of the whole tree, by document. *Memory* is PSS of the whole tree.
* *Recovery*: kill -9 of one of two Chromiums while all sessions work. "Back" is the first document begun after the kill \
and delivered by a session of that cell."""


def render(results: Results) -> tuple[str, list[str]]:
    """The report, and a sentence for each missed target."""
    missed: list[str] = []
    circumstances = (
        f"{machine()} · {results.chromium} · registre {version('registre')}, Playwright {version('playwright')} · "
        f"{datetime.now(UTC):%Y-%m-%d} · {results.size.rounds} rounds, {results.seconds:.0f} s · {results.patience.disturbed} of "
        f"{results.patience.measured} measurements disturbed by other programs"
    )
    lines = [
        "# The whole system beside a bare script",
        "",
        circumstances,
        "",
        "| sessions, wait for each page | ours, documents a minute | bare | ours / bare | target |",
        "|---|---|---|---|---|",
        *_throughput(results, missed),
        "",
        "| processor a document, ms | ours: python / driver / chromium | PostgreSQL | bare: the same | ours / bare |",
        "|---|---|---|---|---|",
        *_processor(results),
        "",
        "| memory a session, MB | ours, signed in | of it PostgreSQL | after work | bare, signed in | after work | target |",
        "|---|---|---|---|---|---|---|",
        *_memory(results, missed),
        "",
        "| killed Chromium, 20 sessions | back | every session back | other cell: attempts failed | longest gap there | target |",
        "|---|---|---|---|---|---|",
        *_recovery(results, missed),
        "",
        NOTES,
    ]
    return "\n".join(lines), missed


def _verdict(missed: list[str], ok: bool, target: str, sentence: str) -> str:
    if not ok:
        missed.append(sentence)
    return f"{target}: {'met' if ok else '**missed**'}"


def _throughput(results: Results, missed: list[str]) -> Iterator[str]:
    for sessions in results.size.documents:
        for latency in results.size.latencies_ms:
            ours, bare = (results.work[side, sessions, latency] for side in ("ours", "bare"))
            share = statistics.median(o.a_minute / b.a_minute for o, b in zip(ours, bare, strict=True))
            what = f"{sessions}, {latency} ms"
            verdict = _verdict(
                missed,
                share >= SHARE_OF_BARE,
                f"≥ {SHARE_OF_BARE:.2f}",
                f"{what}: {share:.2f} of the bare script's documents a minute",
            )
            rates = [statistics.median(each.a_minute for each in side) for side in (ours, bare)]
            yield f"| {what} | {rates[0]:.0f} | {rates[1]:.0f} | {share:.2f} | {verdict} |"


def _processor(results: Results) -> Iterator[str]:
    for sessions in results.size.documents:
        for latency in results.size.latencies_ms:
            used = {
                side: [1000 * each.processor.all / each.documents for each in results.work[side, sessions, latency]]
                for side in ("ours", "bare")
            }
            shown = {
                side: [each.processor.over(each.documents / 1000) for each in results.work[side, sessions, latency]]
                for side in ("ours", "bare")
            }
            ours, bare = (" / ".join(_parts(shown[side])) for side in ("ours", "bare"))
            ratio = statistics.median(o / b for o, b in zip(used["ours"], used["bare"], strict=True))
            postgres = _median(shown["ours"], lambda each: each.parts.get("postgres", 0.0))
            yield f"| {sessions}, {latency} ms | {ours} | {postgres:.0f} | {bare} | {ratio:.2f} |"


def _parts(used: Sequence[Used]) -> Iterator[str]:
    for part in ("python", "driver", "chromium"):
        yield f"{_median(used, lambda each, part=part: each.parts.get(part, 0.0)):.0f}"  # type: ignore[misc]


def _memory(results: Results, missed: list[str]) -> Iterator[str]:
    for sessions in results.size.documents:
        idle, after, bare, bare_after = (
            [used.over(sessions) for used in where[side, sessions]]
            for side, where in (
                ("ours", results.idle),
                ("ours", results.after),
                ("bare", results.idle),
                ("bare", results.after),
            )
        )
        ours = _median(idle, lambda each: each.all)
        verdict = ""
        if sessions == IDLE_SESSIONS:
            verdict = _verdict(
                missed, ours <= IDLE_MB, f"≤ {IDLE_MB:.0f}", f"{sessions} idle sessions take {ours:.0f} MB each"
            )
        postgres = _median(idle, lambda each: each.parts.get("postgres", 0.0))
        cells = [ours, postgres, *(_median(used, lambda each: each.all) for used in (after, bare, bare_after))]
        yield f"| {sessions} | {' | '.join(f'{cell:.0f}' for cell in cells)} | {verdict} |"


def _recovery(results: Results, missed: list[str]) -> Iterator[str]:
    for number, kill in enumerate(results.kills, 1):
        ok = kill.back <= BACK_SECONDS and not kill.others_failed
        verdict = _verdict(
            missed,
            ok,
            f"back ≤ {BACK_SECONDS:.0f} s, the others untouched",
            f"kill {number}: back after {kill.back:.1f} s, {kill.others_failed} attempts of the other cell failed",
        )
        yield (
            f"| {number}: {kill.interrupted} attempts cut, {kill.in_doubt} of them may be billed and wait for a person "
            f"| {kill.back:.1f} s | {kill.all_back:.1f} s | {kill.others_failed} | {kill.longest_gap:.1f} s | {verdict} |"
        )


def _median(used: Sequence[Used], number: Callable[[Used], float]) -> float:
    return statistics.median(number(each) for each in used)
