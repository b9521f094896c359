"""Two stores under one clock and one operator, who closes gates and, more often, opens them.

Invariant: after each step everything people can see is the same on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import time, timedelta
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from registre.budget import BUDGETS
from registre.errors import RegistreError
from registre.gates import Scope, ServiceHours
from tests.property.machines.beside import Beside
from tests.property.machines.ports import Clock, Ports, StoreAt

T = TypeVar("T")

ETUDE, NOTAIRE = "étude", "notaire"
CLIENTS = {ETUDE: [1, 1, 3], NOTAIRE: [0, 0, 2]}
"""Each with priorities of its own: a tie falls by the random id, and a run could not be repeated."""
OPENINGS = [ServiceHours(weekday, time(8), time(17)) for weekday in range(1, 6)]
MOSTLY_NOT = st.sampled_from([False, False, False, True])
PAUSED = [(Scope.SITE, ""), (Scope.ACCOUNT, "account-0"), (Scope.CLIENT, ETUDE), (Scope.SOURCE, "index")]
CAPPED = [
    (scope, name, period)
    for scope, name in [
        (Scope.SITE, ""),
        (Scope.ACCOUNT, "*"),
        (Scope.ACCOUNT, "account-0"),
        (Scope.CLIENT, "*"),
        (Scope.CLIENT, ETUDE),
    ]
    for period in BUDGETS[scope]
]


class OperatedMachine(RuleBasedStateMachine):
    """Each rule is one call on both."""

    store_at: StoreAt

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.beside = Beside(type(self).store_at, self.clock)
        self.rows = self.beside.right.state

    def both(
        self, call: Callable[[Ports], T], names: Callable[[T], Iterable[str]] = lambda _: ()
    ) -> T | type[RegistreError]:
        return self.beside.both(call, names)

    @invariant()
    def both_look_alike(self) -> None:
        self.beside.look_alike()

    # One rule for all gates: a closed one holds everything back.
    @rule(data=st.data())
    def operate(self, data: st.DataObject) -> None:
        duty = data.draw(st.sampled_from([self.gate, self.site, self.calendar, self.rule_of_the_house]))
        duty(data)
        self.beside.settings_look_alike()

    def gate(self, data: st.DataObject) -> None:
        scope, name = data.draw(st.sampled_from(PAUSED))
        if data.draw(MOSTLY_NOT):
            self.both(lambda s: s.gates.pause(scope, name, "a test", "lunch"))
        else:
            self.both(lambda s: s.gates.resume(scope, name, "a test"))

    def site(self, data: st.DataObject) -> None:
        if data.draw(st.booleans()):
            for _ in range(data.draw(st.integers(1, 3))):
                self.both(lambda s: s.gates.site_away("503"))
        else:
            self.both(lambda s: s.gates.site_answered())

    def calendar(self, data: st.DataObject) -> None:
        limited, holiday, day = data.draw(MOSTLY_NOT), data.draw(MOSTLY_NOT), self.clock.now.date()
        self.both(lambda s: s.gates.set_hours(OPENINGS if limited else [], "a test"))
        self.both(lambda s: s.gates.set_holiday(day, "Fête" if limited and holiday else None, "a test"))

    def rule_of_the_house(self, data: st.DataObject) -> None:
        # Not one rebuy a day: with two doubts in one reclaim, which of them is bought again is nobody's promise.
        changes = [("rebuys_per_day", 0), ("rebuys_per_day", 1000), ("pace_seconds", 0), ("pace_seconds", 4)]
        name, value = data.draw(st.sampled_from(changes))
        self.both(lambda s: s.gates.set_rule(name, value, "a test"))

    @rule(data=st.data())
    def spend(self, data: st.DataObject) -> None:
        if data.draw(st.booleans()):
            scope, name, period = data.draw(st.sampled_from(CAPPED))
            cap = data.draw(st.sampled_from([None, 150, 400, 400]))
            self.both(lambda s: s.treasury.set_budget(scope, name, period, cap, "a test"))
        else:
            source = data.draw(st.sampled_from(["*", "index", "acte"]))
            day = self.clock.now.date() + timedelta(days=data.draw(st.integers(0, 1)))
            cents = data.draw(st.sampled_from([100, 200]))
            self.both(lambda s: s.treasury.set_fee(source, day, cents, "a test"))
        self.beside.settings_look_alike()
