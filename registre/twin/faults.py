"""Faults that can be ordered from the twin, by name.

Invariant: a fault that is not set changes nothing. A new one is a line of `FAULTS` and one look-up where it bites.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never


class FaultKind(StrEnum):
    """The shape of a fault's value.

    NUMBER: a number, 0 allowed. SWITCH: true. COUNT: how many more times it bites (true: until unset), or an object
    `{"count": 2, "account": "99T0001"}` to bite one account only. None or false unsets any fault.
    """

    NUMBER = "number"
    SWITCH = "switch"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """What a fault does, for those who order it."""

    kind: FaultKind
    meaning: str


FAULTS: Mapping[str, FaultSpec] = {
    "latency_ms": FaultSpec(FaultKind.NUMBER, "every page waits this long before it is answered"),
    "loading_seconds": FaultSpec(FaultKind.NUMBER, "the loading page of every document lasts this long"),
    "status_5xx": FaultSpec(FaultKind.COUNT, "the next pages answer 503 with a bare server error"),
    "maintenance": FaultSpec(FaultKind.SWITCH, "every page is the maintenance notice, with status 200"),
    "expire_session": FaultSpec(FaultKind.COUNT, "the next protected pages find their session expired, and it is"),
    "refuse_login": FaultSpec(FaultKind.COUNT, "the next logins are refused, right or wrong"),
    "truncate_pdf": FaultSpec(FaultKind.COUNT, "the next downloads hold the first half of the file only"),
    "no_download": FaultSpec(FaultKind.COUNT, "the next downloads never answer"),
}

ALWAYS = -1


@dataclass(frozen=True, slots=True)
class _Setting:
    amount: float
    account: str | None = None


class FaultBox:
    """The faults now set; safe from several threads, so a test may set one while the twin runs."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._set: dict[str, _Setting] = {}

    def set(self, name: str, value: object = True) -> None:
        """Order, change or unset one fault, as `update` does."""
        self.update({name: value})

    def update(self, values: Mapping[str, object]) -> None:
        """Order, change or unset faults, all or none; ValueError names an unknown fault or a value it cannot have."""
        settings = {name: _parse(name, value) for name, value in values.items()}
        with self._guard:
            for name, setting in settings.items():
                if setting is None:
                    self._set.pop(name, None)
                else:
                    self._set[name] = setting

    def clear(self) -> None:
        with self._guard:
            self._set.clear()

    def number(self, name: str) -> float | None:
        """The value of a NUMBER; None when it is not set."""
        with self._guard:
            setting = self._set.get(name)
        return setting.amount if setting else None

    def is_on(self, name: str) -> bool:
        with self._guard:
            return name in self._set

    def take(self, name: str, account: str | None = None) -> bool:
        """True if a COUNT bites this time; uses one up."""
        with self._guard:
            setting = self._set.get(name)
            if setting is None or (setting.account is not None and setting.account != account):
                return False
            if setting.amount == 1:
                del self._set[name]
            elif setting.amount != ALWAYS:
                self._set[name] = _Setting(setting.amount - 1, setting.account)
            return True

    def snapshot(self) -> dict[str, object]:
        """What is set, in the shape `set` accepts."""
        with self._guard:
            return {name: _show(FAULTS[name].kind, setting) for name, setting in self._set.items()}


def _parse(name: str, value: object) -> _Setting | None:
    """The setting a value asks for; None unsets."""
    spec = FAULTS.get(name)
    if spec is None:
        raise ValueError(f"there is no fault '{name}'; there are: {', '.join(FAULTS)}")
    if value is None or value is False:
        return None
    match spec.kind:
        case FaultKind.NUMBER:
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise ValueError(f"{name}: a number of 0 or more is needed")
            return _Setting(float(value))
        case FaultKind.SWITCH:
            if value is not True:
                raise ValueError(f"{name}: true or false is needed")
            return _Setting(1)
        case FaultKind.COUNT:
            return _parse_count(name, value)
        case _:
            assert_never(spec.kind)


def _parse_count(name: str, value: object) -> _Setting | None:
    account = None
    if isinstance(value, Mapping):
        if not set(value) <= {"count", "account"}:
            raise ValueError(f"{name}: only count and account are understood")
        account = value.get("account")
        value = value.get("count", True)
    if account is not None and not isinstance(account, str):
        raise ValueError(f"{name}: account must be a user code")
    if value is True:
        return _Setting(ALWAYS, account)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name}: a whole number, true, or an object of count and account is needed")
    return _Setting(value, account) if value else None


def _show(kind: FaultKind, setting: _Setting) -> object:
    match kind:
        case FaultKind.NUMBER:
            return setting.amount
        case FaultKind.SWITCH:
            return True
        case FaultKind.COUNT:
            count: object = True if setting.amount == ALWAYS else setting.amount
            return {"count": count, "account": setting.account} if setting.account else count
        case _:
            assert_never(kind)
