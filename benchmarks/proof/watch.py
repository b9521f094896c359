"""Deals one blow after the other, and watches each until the host has recovered from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from benchmarks.proof.blows import Blow, Dealt

RECOVERY_SECONDS = 120.0
"""Afterwards the next blow falls all the same, and this one counts as not recovered from."""


class Strikes(Protocol):
    """Who deals blows and lifts those that last."""

    def strike(self, blow: Blow) -> None: ...

    def lift(self, blow: Blow) -> None: ...


@dataclass(frozen=True, slots=True)
class Struck:
    """A blow that fell: seconds from the start of the proof to when it was over, and from then until the host was itself again;
    None when that took longer than it may."""

    blows: tuple[Blow, ...]
    over_at: float
    recovery_seconds: float | None


class Watch:
    """Drive it by `go_on`, from one thread. `struck` grows as blows are recovered from."""

    def __init__(
        self, dealt: Iterator[Dealt], striker: Strikes, recovered: Callable[[tuple[Blow, ...], datetime], bool]
    ) -> None:
        """`recovered` says whether the host has been itself again since an instant, after these blows."""
        self._dealt = dealt
        self._striker = striker
        self._recovered = recovered
        self._now: Dealt | None = None
        self._next = next(dealt)
        self._strike_at = self._next.breath_seconds
        self._over: tuple[float, datetime] | None = None
        self.struck: list[Struck] = []

    @property
    def name(self) -> str:
        return " and ".join(self._now.blows) if self._now else "no blow"

    @property
    def is_calm(self) -> bool:
        """Nothing is struck that the host has not recovered from."""
        return self._now is None

    @property
    def is_waiting(self) -> bool:
        """The last blow is over, and the host is about to show that it is itself again."""
        return self._over is not None

    def go_on(self, at: float, *, quiet: bool) -> None:
        """`at` is in seconds since the start. `quiet`: no further blow."""
        if self._now is None:
            if not quiet and at >= self._strike_at:
                self._now = self._next
                self._strike_at = at
                for blow in self._now.blows:
                    self._striker.strike(blow)
            return
        if self._over is None:
            if at < self._strike_at + self._now.lasts_seconds:
                return
            for blow in self._now.blows:
                self._striker.lift(blow)
            self._over = at, datetime.now(UTC)
            return
        over_at, since = self._over
        waited = at - over_at
        recovered = self._recovered(self._now.blows, since)
        if recovered or waited > RECOVERY_SECONDS:
            self.struck.append(Struck(self._now.blows, over_at, waited if recovered else None))
            self._next = next(self._dealt)
            self._now = self._over = None
            self._strike_at = at + self._next.breath_seconds
