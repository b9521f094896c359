"""The weather as it changes over the twin: one gust after the other, each until some orders have ended."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.storm.weather import LAYOUT, Gust, blow
from registre.twin.fault_box import FaultBox

GUST_SECONDS = 15.0
"""A gust under which no order ends passes all the same."""


class Sky:
    """`blown` counts the gusts by name. `calm` is called when forms that were not themselves are as they were again."""

    def __init__(self, faults: FaultBox, seed: int, calm: Callable[[], None]) -> None:
        self._faults = faults
        self._gusts = itertools.cycle(blow(seed))
        self._calm = calm
        self._gust: Gust | None = None
        self._since = (0, 0.0)
        self.blown: Counter[str] = Counter()

    @property
    def name(self) -> str:
        return self._gust.name if self._gust else "calm"

    @property
    def weather(self) -> Mapping[str, Any]:
        """The faults the site has now."""
        return self._gust.faults if self._gust else {}

    def change(self, ended: int, now: float) -> None:
        """Go on to the next gust when this one has lasted: `ended` orders are over by `now` (monotonic seconds)."""
        gust = self._gust
        if gust is not None:
            if ended < self._since[0] + gust.lasts and now < self._since[1] + GUST_SECONDS:
                return
            self._faults.update(dict.fromkeys(gust.faults))
            if LAYOUT & gust.faults.keys():
                self._calm()
        self._gust = gust = next(self._gusts)
        self._since = (ended, now)
        self._faults.update(dict(gust.faults))
        self.blown[gust.name] += 1

    def clear(self) -> None:
        self._faults.clear()
