"""A pulse as numbers that a template draws: bars of ends, lines of durations. No script, no library: sixty rectangles.

Invariant: everything lies in a box of `WIDTH` by `HEIGHT`, whatever came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from api.overview import BeatView, PulseView

WIDTH, HEIGHT = 600.0, 100.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch: `completed` and `failed` are heights, one on top of the other."""

    x: float
    width: float
    completed: float
    failed: float
    beat: BeatView


@dataclass(frozen=True, slots=True)
class Chart:
    """`lines` are the points of each unbroken run, by name: p50 and p95. `top` is what the full height stands for."""

    bars: tuple[Bar, ...]
    most: int
    lines: tuple[tuple[str, str], ...]
    slowest: float | None


def chart_of(pulse: PulseView) -> Chart:
    beats = pulse.beats
    step = WIDTH / len(beats)
    most = max(beat.completed + beat.failed for beat in beats)
    scale = HEIGHT / most if most else 0.0
    bars = tuple(
        Bar(round(n * step, 2), round(step * 0.8, 2), round(b.completed * scale, 2), round(b.failed * scale, 2), b)
        for n, b in enumerate(beats)
    )
    slowest = max((beat.p95_seconds for beat in beats if beat.p95_seconds is not None), default=None)
    lines = tuple(
        (name, run)
        for name in ("p50", "p95")
        for run in _runs((getattr(beat, f"{name}_seconds") for beat in beats), step, slowest)
    )
    return Chart(bars, most, lines, slowest)


def _runs(values: Iterable[float | None], step: float, slowest: float | None) -> list[str]:
    """The points of each run without a gap; a single point is drawn as a short line."""
    runs: list[list[str]] = [[]]
    for n, value in enumerate(values):
        if value is None or not slowest:
            runs.append([])
            continue
        y = round(HEIGHT - HEIGHT * value / slowest, 2)
        runs[-1] += [f"{round(n * step, 2)},{y}", f"{round((n + 0.8) * step, 2)},{y}"]
    return [" ".join(run) for run in runs if run]
