"""Retrying and cancelling, one order or many: counted by the server first, decided in a box, then done if still as many.

Invariant: the box names the number and what it may cost at most before anything is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from registre.errors import RegistreError
from registre.language import TORONTO
from tui.background import begin
from tui.deeds import Chosen
from tui.lines import jobs_line
from tui.screens.boxes import Confirm, Told
from tui.screens.view import View


def ask_bulk(view: View, action: str, chosen: Chosen, sources: Sequence[str], done: Callable[[], None]) -> None:
    """`sources` are those of the orders, as far as known; `done` is called when it was decided to go on."""
    begin(view, partial(_ask, view, action, chosen, sources, done), "do")


async def _ask(view: View, action: str, chosen: Chosen, sources: Sequence[str], done: Callable[[], None]) -> None:
    deeds, today = view.dashboard.deeds, view.dashboard.now().astimezone(TORONTO).date()
    try:
        count = await deeds.count(action, chosen)
        fee = await deeds.dearest_fee(sources, today) if action == "retry" else 0
    except RegistreError as error:
        view.app.notify(view.tongue.reason(error.message), severity="error", markup=False)
        return
    view.app.push_screen(
        Confirm(_told(view, action, chosen, count, fee), view.tongue),
        partial(_decided, view, action, chosen, count, done),
    )


def _decided(
    view: View, action: str, chosen: Chosen, count: int, done: Callable[[], None], is_sure: bool | None
) -> None:
    if is_sure:
        done()
        view.do(lambda: view.dashboard.deeds.bulk(action, chosen, count))


def _told(view: View, action: str, chosen: Chosen, count: int, fee: int) -> Told:
    tongue = view.tongue
    if action == "retry":
        title = tongue.many("Retry %(n)s order", "Retry %(n)s orders", count)
        sentences = [
            tongue.say(
                "It may cost %(cost)s at most (%(fee)s a document); what is owned already costs nothing.",
                cost=tongue.money(count * fee),
                fee=tongue.money(fee),
            ),
            tongue.say(
                "Only failed orders are put back, with fresh attempts; the others are refused, each with its reason."
            ),
        ]
    else:
        title = tongue.many("Cancel %(n)s order", "Cancel %(n)s orders", count)
        sentences = [
            tongue.say(
                "It costs nothing (%(cost)s); what is being bought is finished all the same.", cost=tongue.money(0)
            )
        ]
    command = jobs_line(action, chosen.ids) if chosen.ids else jobs_line(action, ["ID"])
    return Told(title, sentences, command)
