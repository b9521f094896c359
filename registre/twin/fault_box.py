"""The faults now set on a twin.

Invariant: an order is taken whole or not at all, and a counted one bites as often as ordered, whoever asks.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from registre.twin.fault_orders import ALWAYS, Setting, read_order
from registre.twin.faults import FAULTS
from registre.twin.places import Place


class FaultBox:
    """Safe from several threads, so a test may set a fault while the twin runs."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._set: dict[str, tuple[Setting, ...]] = {}

    def set(self, name: str, order: object = True) -> None:
        """Order, change or unset one fault, as `update` does."""
        self.update({name: order})

    def update(self, orders: Mapping[str, object]) -> None:
        """Order, change or unset faults, all or none; ValueError names an unknown fault or a value it cannot have."""
        read = {name: read_order(name, order) for name, order in orders.items()}
        with self._guard:
            self._set.update(read)
            self._set = {name: settings for name, settings in self._set.items() if settings}

    def clear(self) -> None:
        with self._guard:
            self._set.clear()

    def take(self, name: str, account: str | None = None, place: Place | None = None) -> bool:
        """True if the fault bites this time; uses one up."""
        return self._bite(name, account, place) is not None

    def number(self, name: str, account: str | None = None, place: Place | None = None) -> float | None:
        """A NUMBER's value if it bites this time, else None; uses one up."""
        value = self._bite(name, account, place)
        return value if isinstance(value, float) else None

    def text(self, name: str, account: str | None = None) -> str | None:
        """A TEXT's value if it bites this time, else None; uses one up."""
        value = self._bite(name, account, None)
        return value if isinstance(value, str) else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value of an uncounted TEXT that is set."""
        with self._guard:
            return tuple(str(setting.value) for setting in self._set.get(name, ()))

    def snapshot(self) -> dict[str, object]:
        """What is set, in the shape `update` accepts."""
        with self._guard:
            settings = dict(self._set)
        shown = {name: [setting.show(FAULTS[name].kind) for setting in several] for name, several in settings.items()}
        return {name: several[0] if len(several) == 1 else several for name, several in shown.items()}

    def _bite(self, name: str, account: str | None, place: Place | None) -> float | str | None:
        """The first setting that meets account and place, those told a place before those told none."""
        with self._guard:
            settings = self._set.get(name, ())
            meeting = sorted((s for s in settings if s.meets(account, place)), key=lambda s: s.place is None)
            if not meeting:
                return None
            bitten = meeting[0]
            if bitten.left != ALWAYS:
                left = [s if s is not bitten else replace(s, left=s.left - 1) for s in settings]
                self._set[name] = tuple(s for s in left if s.left)
                if not self._set[name]:
                    del self._set[name]
            return bitten.value
