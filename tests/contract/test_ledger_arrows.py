"""The ledger's state machine, as data, is what the database does: every function is tried on a purchase in every state."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from registre.errors import LeaseLost, Refused
from registre.ledger import ARROWS, PurchaseState
from tests.desk import HOST_GONE, LEGACY, Desk, Held

S = PurchaseState
Act = Callable[[Desk, Held, str], object]


def nothing(desk: Desk, held: Held, purchase: str) -> None:
    """As it was made."""


def pass_long(desk: Desk, held: Held, purchase: str) -> None:
    """Every lease is over, and every host is gone."""
    desk.pass_time(LEGACY + HOST_GONE)


def reclaimed(desk: Desk, held: Held, purchase: str) -> None:
    pass_long(desk, held, purchase)
    desk.reclaim()


def orphaned(desk: Desk, held: Held, purchase: str) -> None:
    """Another program has removed the order."""
    desk.sql("delete from extraction_queue where id = %s", held.id)
    pass_long(desk, held, purchase)


@dataclass(frozen=True, slots=True)
class Trial:
    """One call of a function, and what had come before it."""

    function: str
    act: Act
    before: Act = nothing


MADE: dict[PurchaseState, tuple[Act, ...]] = {
    S.INTENDED: (),
    S.VOID: (lambda desk, held, purchase: desk.void(purchase, held),),
    S.CHARGED: (lambda desk, held, purchase: desk.charge(purchase, held),),
    S.SECURED: (lambda desk, held, purchase: desk.secure(purchase),),
    S.DELIVERED: (
        lambda desk, held, purchase: desk.secure(purchase),
        lambda desk, held, purchase: desk.deliver(purchase, key=f"{purchase}.pdf"),
    ),
    S.AMBIGUOUS: (lambda desk, held, purchase: desk.mark_ambiguous(purchase, held),),
}
TRIALS = (
    Trial("void_purchase", lambda desk, held, purchase: desk.void(purchase, held)),
    Trial("charge_purchase", lambda desk, held, purchase: desk.charge(purchase, held)),
    Trial("secure_purchase", lambda desk, held, purchase: desk.secure(purchase)),
    Trial("deliver", lambda desk, held, purchase: desk.deliver(purchase, key=f"{purchase}.pdf")),
    Trial("mark_ambiguous", lambda desk, held, purchase: desk.mark_ambiguous(purchase, held)),
    Trial("lose_purchase", lambda desk, held, purchase: desk.lose(purchase)),
    Trial("reclaim", lambda desk, held, purchase: desk.reclaim(), before=pass_long),
    Trial("reclaim", lambda desk, held, purchase: desk.reclaim(), before=orphaned),
    Trial("settle", lambda desk, held, purchase: desk.settle(held.id, "abandon"), before=reclaimed),
    Trial("settle", lambda desk, held, purchase: desk.settle(held.id, "abandon", billed=False), before=reclaimed),
)


def test_each_function_moves_a_purchase_along_its_arrows_and_no_others(desk: Desk) -> None:
    seen: dict[str, set[tuple[PurchaseState, PurchaseState]]] = {function: set() for function in ARROWS}
    number = 2_784_000
    for trial in TRIALS:
        for steps in MADE.values():
            number += 1
            held = desk.leased(number=number)
            desk.register()
            purchase = desk.intend(held)
            for step in (*steps, trial.before):
                step(desk, held, purchase)
            before = PurchaseState(desk.purchase(purchase)["state"])
            with suppress(Refused, LeaseLost):
                trial.act(desk, held, purchase)
            after = PurchaseState(desk.purchase(purchase)["state"])
            if after is not before:
                seen[trial.function].add((before, after))
            desk.sql("delete from extraction_queue")  # the next order must be the only one that waits
    assert seen == {function: set(moves) for function, moves in ARROWS.items()}
