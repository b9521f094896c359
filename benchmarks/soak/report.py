"""What a soak shows, in Markdown, with a chart; and what grew that should not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median

import pygal
from pygal.style import CleanStyle

from benchmarks.site.tree import PARTS
from benchmarks.soak.sample import Sample

WARM = 0.2
"""The first part of a soak is not judged: pools fill, Chromium warms its caches."""
GROWTH = 1.10
"""The median of the last third may be so much of that of the first, after the warm-up."""

MEASURES: dict[str, tuple[Callable[[Sample], float], str]] = {
    "memory, all": (lambda s: sum(s.megabytes.values()), "MB"),
    **{f"memory, {part}": (lambda s, part=part: s.megabytes[part], "MB") for part in PARTS},  # type: ignore[misc]
    "open files of our programs": (lambda s: float(s.files), ""),
    "processes": (lambda s: float(s.processes), ""),
    "threads": (lambda s: float(s.threads), ""),
    "tables, for each order": (lambda s: s.bytes_per_order / 1000, "kB"),
    "spool": (lambda s: s.spool_mb, "MB"),
    "evidence": (lambda s: s.evidence_mb, "MB"),
    "flight recorder": (lambda s: s.logs_mb, "MB"),
}
BOUNDED_ELSEWHERE = {"spool", "evidence", "flight recorder"}
"""Shown, not judged: they go up and down, or grow to a size that a setting gives."""
NOTES = """\
**How it was run.** `registre up` with its API, {sessions} accounts, real browsers, on the twin of the registry, its own \
PostgreSQL. Orders come as fast as they are served, so that some always wait; sessions, pages and contexts are renewed \
as in life. Memory is PSS: pages that processes share count once. A measure grew when the median of the last third is \
more than a tenth above that of the first, the first fifth left out."""


def thirds(samples: Sequence[Sample], measure: Callable[[Sample], float]) -> tuple[float, float]:
    """The medians of the first and the last third after the warm-up."""
    values = [measure(sample) for sample in samples[int(len(samples) * WARM) :]]
    part = max(1, len(values) // 3)
    return median(values[:part]), median(values[-part:])


def grown(samples: Sequence[Sample]) -> list[str]:
    found = []
    for name, (measure, unit) in MEASURES.items():
        first, last = thirds(samples, measure)
        if name not in BOUNDED_ELSEWHERE and last > first * GROWTH and last - first > (5 if unit == "MB" else 1):
            found.append(f"{name}: {first:.0f} → {last:.0f} {unit}".rstrip())
    return found


def render(samples: Sequence[Sample], circumstances: str, chart_name: str | None, sessions: int) -> str:
    last = samples[-1]
    size = f"{last.at / 60:.0f} minutes, {last.completed} documents delivered, {last.failed} orders in 'Erreur'"
    lines = [
        "# A soak",
        "",
        f"{circumstances} · {datetime.now(UTC):%Y-%m-%d} · {size}",
        "",
        *([f"![Memory over time]({chart_name})", ""] if chart_name else []),
        "| what | first third | last third | |",
        "|---|---|---|---|",
    ]
    for name, (measure, unit) in MEASURES.items():
        first, end = thirds(samples, measure)
        judged = "" if name in BOUNDED_ELSEWHERE else f"{(end / first - 1) * 100:+.0f} %" if first else ""
        lines.append(f"| {name} | {first:.1f} {unit} | {end:.1f} {unit} | {judged} |")
    found = [f"* **grew**: {each}" for each in grown(samples)]
    lines += ["", *found, *([""] if found else []), NOTES.format(sessions=sessions)]
    return "\n".join(lines)


def chart_of(samples: Sequence[Sample]) -> str:
    """Memory by part over time: an SVG."""
    chart = pygal.XY(
        style=CleanStyle, js=[], width=900, height=360, show_dots=False, no_prefix=True,
        x_title="minutes", y_title="MB", title="Memory of one host at work", include_x_axis=True,
    )  # fmt: skip
    for part in PARTS:
        chart.add(part, [(sample.at / 60, sample.megabytes[part]) for sample in samples])
    return str(chart.render(is_unicode=True))
