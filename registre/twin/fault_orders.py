"""Orders of faults, as JSON values and as `NAME[=VALUE]` of a command line, read into settings.

Invariant: what is read is right, or ValueError says in one sentence which fault is wrong and what it takes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from registre.twin.faults import FAULTS, FaultKind, FaultSpec
from registre.twin.places import Place

ALWAYS = -1

_LIMITS = ("count", "account", "page")
_MORE_LIMITS = re.compile(rf",(?=(?:{'|'.join(_LIMITS)})=)")


@dataclass(frozen=True, slots=True)
class Setting:
    """One order. `left` is how many more times it bites, `ALWAYS` until it is unset; `account` and `place` limit it."""

    value: float | str = 1.0
    left: int = ALWAYS
    account: str | None = None
    place: Place | None = None

    def meets(self, account: str | None, place: Place | None) -> bool:
        return self.account in (None, account) and self.place in (None, place)

    def show(self, kind: FaultKind) -> object:
        """In the shape `read_order` accepts, as short as it can be."""
        count: object = True if self.left == ALWAYS else self.left
        if self.account is None and self.place is None:
            if kind is FaultKind.COUNT:
                return count
            if self.left == ALWAYS:
                return self.value
        shown: dict[str, object] = {} if kind is FaultKind.COUNT else {"value": self.value}
        shown["count"] = count
        if self.account is not None:
            shown["account"] = self.account
        if self.place is not None:
            shown["page"] = self.place.value
        return shown


def read_order(name: str, order: object) -> tuple[Setting, ...]:
    """The settings an order asks for; none unsets.

    A number is a NUMBER's value or a COUNT's count, a text a TEXT's value, true the default; an object limits it:
    `{"value": 200, "count": 2, "account": "99T0001", "page": "viewer"}`; a list holds several; null or false unsets.
    """
    spec = FAULTS.get(name)
    if spec is None:
        raise ValueError(f"there is no fault '{name}'; there are: {', '.join(FAULTS)}")
    orders = order if isinstance(order, list) else [order]
    return tuple(setting for each in orders if (setting := _read_one(name, spec, each)) is not None)


def read_arguments(arguments: Iterable[str]) -> dict[str, list[object]]:
    """Orders from `NAME[=VALUE][,count=N][,account=CODE][,page=PAGE]` each; a name given again adds to the first."""
    orders: dict[str, list[object]] = {}
    for argument in arguments:
        name, _, text = argument.partition("=")
        order = _order_of(name.strip(), text)
        read_order(name.strip(), order)
        orders.setdefault(name.strip(), []).append(order)
    return orders


def _order_of(name: str, text: str) -> object:
    first, *limits = _MORE_LIMITS.split(f",{text}" if text.partition("=")[0] in _LIMITS else text)
    kind = FAULTS[name].kind if name in FAULTS else None
    order: dict[str, object] = {}
    if first.strip():
        order["count" if kind is FaultKind.COUNT else "value"] = _plain(first.strip(), literal=kind is FaultKind.TEXT)
    for limit in limits:
        key, _, value = limit.partition("=")
        order[key] = _plain(value.strip(), literal=key != "count")
    return order or True


def _plain(text: str, *, literal: bool) -> object:
    """A word of the command line as the JSON it stands for; a literal one may still be a switch."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for read in () if literal else (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _read_one(name: str, spec: FaultSpec, order: object) -> Setting | None:
    if order is None or order is False:
        return None
    given = dict(order) if isinstance(order, Mapping) else _bare(spec, order)
    allowed = _allowed(spec)
    if not set(given) <= allowed:
        raise ValueError(f"{name}: only {', '.join(sorted(allowed))} can be given")
    count = _count(name, given.get("count", True))
    if count == 0 or given.get("value", True) is False:
        return None
    return Setting(_value(name, spec, given.get("value", True)), count, _account(name, given), _place(name, given))


def _bare(spec: FaultSpec, order: object) -> dict[str, object]:
    return {"count": order} if spec.kind is FaultKind.COUNT else {"value": order}


def _allowed(spec: FaultSpec) -> set[str]:
    """What can be given besides nothing. A COUNT that is not counted still says whether: true or false."""
    value = {"count"} if spec.kind is FaultKind.COUNT else {"value"}
    limits = {"count": spec.counted, "account": spec.account, "page": spec.places}
    return value | {limit for limit, there in limits.items() if there}


def _value(name: str, spec: FaultSpec, value: object) -> float | str:
    if spec.kind is FaultKind.COUNT:
        return 1.0
    if value is True and spec.default is not None:
        return spec.default
    if spec.kind is FaultKind.TEXT:
        if not isinstance(value, str) or not value:
            raise ValueError(f"{name}: a text is needed")
        if spec.choices and value not in spec.choices:
            raise ValueError(f"{name}: one of {', '.join(spec.choices)} is needed, not '{value}'")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{name}: a number of 0 or more is needed")
    return float(value)


def _count(name: str, count: object) -> int:
    if count is True:
        return ALWAYS
    if count is False:
        return 0
    if not isinstance(count, int) or count < 0:
        raise ValueError(f"{name}: a count is a whole number, or true for always")
    if not FAULTS[name].counted:
        raise ValueError(f"{name}: it cannot be counted; true or false is needed")
    return count


def _account(name: str, given: Mapping[str, object]) -> str | None:
    account = given.get("account")
    if account is not None and not isinstance(account, str):
        raise ValueError(f"{name}: account must be a user code")
    return account


def _place(name: str, given: Mapping[str, object]) -> Place | None:
    page = given.get("page")
    if page is None:
        return None
    try:
        return Place(str(page))
    except ValueError:
        raise ValueError(f"{name}: there is no page '{page}'; there are: {', '.join(Place)}") from None
