"""Two programs at once, about money: no cap passed, no document bought twice, no rule stretched, whoever commits first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from psycopg.types.json import Jsonb

from registre.errors import Refused
from tests.desk import FEE, HOST, SHA, VISIBILITY, Desk, Held, order_of
from tests.rivals import Slow, meanwhile

WAITING, RUNNING, DONE, FAILED = "En attente", "En traitement", "Complété", "Erreur"
CAPS = {"site": ("site", "", "day"), "client": ("client", "étude", "month"), "each client": ("client", "*", "day")}


def intend(slow: Slow, held: Held) -> str:
    [(verdict, purchase, *_)] = slow.call("intend", job=held.id, token=held.token, host=HOST)
    return str(purchase or verdict)


# -- budgets


@pytest.mark.parametrize("commits", [True, False])
@pytest.mark.parametrize("cap", [*CAPS, "batch"])
def test_two_workers_never_pass_a_cap_together(desk: Desk, slow: Slow, cap: str, *, commits: bool) -> None:
    if cap == "batch":
        desk.batch(1000001, 1000002, cap=2 * FEE - 1, client="étude")
    else:
        desk.order(1000001, 1000002, client="étude")
    first, second = desk.lease(desk.seats(2))
    if cap in CAPS:
        desk.budget(*CAPS[cap], 2 * FEE - 1)
    assert intend(slow, first) != "over_budget"
    with meanwhile(desk, lambda: desk.intend(second)) as verdict:
        if commits:
            slow.commit()
        else:
            slow.give_up()
    assert (verdict.result() == "over_budget") == commits
    assert desk.used("site", "", "day") == FEE


def test_a_fee_given_back_meanwhile_makes_room(desk: Desk, slow: Slow) -> None:
    desk.order(1000001, 1000002)
    first, second = desk.lease(desk.seats(2))
    desk.budget("site", "", "day", FEE)
    purchase = desk.intend(first)
    slow.call("void_purchase", purchase=purchase, token=first.token, reason="not found")
    with meanwhile(desk, lambda: desk.intend(second)) as verdict:
        slow.commit()
    assert desk.purchase(verdict.result())["state"] == "intended"


def test_workers_that_reserve_and_give_back_at_once_never_wait_for_each_other_in_a_circle(desk: Desk) -> None:
    for number in range(4):
        desk.order(1000001 + number, client=f"client-{number % 2}")
    desk.budget("client", "*", "day", 10 * FEE)
    desk.budget("site", "", "month", 3 * FEE)
    held = desk.lease(desk.seats(4))
    together = Barrier(len(held))

    def work(mine: Held) -> set[str]:
        together.wait()
        verdicts = set()
        for _ in range(25):
            [row] = desk.gateway.call("intend", job=mine.id, token=mine.token, host=HOST, now=desk.now)
            verdicts.add(row["verdict"])
            if row["purchase_id"]:
                desk.gateway.call(
                    "void_purchase", purchase=row["purchase_id"], token=mine.token, reason="no", now=desk.now
                )
        return verdicts

    # a deadlock would end one of them with DatabaseUnavailable
    with ThreadPoolExecutor(len(held)) as pool:
        verdicts = set().union(*(done.result() for done in [pool.submit(work, each) for each in held]))
    assert verdicts <= {"granted", "over_budget"}
    assert "granted" in verdicts
    assert desk.sql("select 1 from registre.spending where used_cents <> 0") == []


# -- one document


def test_a_document_delivered_between_two_questions_is_not_bought_again(desk: Desk, slow: Slow) -> None:
    """The second question is kept waiting by its look at the rules: how long an index is current."""
    desk.bought(2784195)
    desk.pass_time(2 * 86400)
    first, second = desk.two_of_one_document()
    purchase = desk.intend(first)
    desk.secure(purchase)
    slow.connection.execute("lock table registre.rules in access exclusive mode")
    with meanwhile(desk, lambda: desk.intend(second), waits=False) as verdict:
        slow.call("deliver", purchase=purchase, sha256=SHA, bucket="index", object_key="k.pdf")
        slow.commit()
    assert verdict.result() in {"in_progress", "owned"}


def test_an_order_put_in_while_its_document_is_delivered_is_served_at_its_turn(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    [(late,)] = slow.call("submit_jobs", orders=Jsonb([order_of(2784195)]))
    desk.deliver(purchase)
    slow.commit()
    assert desk.state(str(late)) == (WAITING, None)
    assert desk.lease(desk.seats(1)) == []
    assert desk.state(str(late)) == (DONE, None)


def test_an_order_locked_by_a_person_during_the_delivery_is_served_at_its_turn(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    [second] = desk.order(2784195)
    purchase = desk.intend(held)
    desk.secure(purchase)
    slow.connection.execute("select 1 from extraction_queue where id = %s for update", [second])
    assert desk.deliver(purchase) == "completed", "the delivery waits for nobody"
    slow.commit()
    assert desk.lease(desk.seats(1)) == []
    assert desk.state(second) == (DONE, None)


def test_a_file_found_while_a_person_decides_to_buy_again_is_awaited(desk: Desk, slow: Slow) -> None:
    held, former = desk.ambiguous()
    slow.call("settle", job=held.id, decision="rebuy", author="marie", billed=True)
    with meanwhile(desk, lambda: desk.secure(former)) as secured:
        slow.commit()
    assert secured.result() == "secured"
    assert desk.lease(desk.seats(1)) == []
    desk.deliver(former)
    assert desk.state(held.id) == (DONE, None)


def test_a_person_who_decides_while_the_file_is_found_is_told(desk: Desk, slow: Slow) -> None:
    held, former = desk.ambiguous()
    slow.call("secure_purchase", purchase=former, sha256=SHA, size_bytes=1, pages=1)
    with meanwhile(desk, lambda: desk.settle(held.id, "rebuy")) as decided:
        slow.commit()
    with pytest.raises(Refused, match="has been found"):
        decided.result()


def test_two_persons_decide_once(desk: Desk, slow: Slow) -> None:
    held, _ = desk.ambiguous()
    slow.call("settle", job=held.id, decision="abandon", author="marie", billed=True)
    with meanwhile(desk, lambda: desk.settle(held.id, "rebuy")) as decided:
        slow.commit()
    with pytest.raises(Refused):
        decided.result()
    assert desk.state(held.id) == (FAILED, "abandoned")


# -- rules


def test_two_workers_do_not_both_take_the_last_rebuy_of_the_day(desk: Desk, slow: Slow) -> None:
    desk.rule("rebuys_per_day", 1)
    desk.order(1000001, 1000002)
    first, second = desk.lease(desk.seats(2))
    one, two = desk.intend(first), desk.intend(second)
    slow.call("mark_ambiguous", purchase=one, token=first.token, reason="gone")
    with meanwhile(desk, lambda: desk.mark_ambiguous(two, second)):
        slow.commit()
    assert [desk.state(held.id)[0] for held in (first, second)] == [WAITING, FAILED]


def test_a_dead_owner_and_a_living_one_do_not_both_take_the_last_rebuy(desk: Desk, slow: Slow) -> None:
    desk.rule("rebuys_per_day", 1)
    desk.order(1000001, 1000002)
    dead, alive = desk.lease(desk.seats(2))
    desk.intend(dead)
    purchase = desk.intend(alive)
    desk.pass_time(VISIBILITY - 1)
    desk.renew([alive])
    desk.pass_time(2)
    assert slow.reclaim() != []
    with meanwhile(desk, lambda: desk.mark_ambiguous(purchase, alive)):
        slow.commit()
    assert [desk.state(held.id)[0] for held in (dead, alive)] == [WAITING, FAILED]


# -- gates


def test_two_hosts_send_one_probe(desk: Desk, slow: Slow) -> None:
    desk.order(1000001, 1000002, 1000003)
    here, there = desk.seats(1), desk.seats(2, "host-b/boot-1")
    for _ in range(3):
        desk.move("site_away", reason="503")
    desk.pass_time(61)
    assert len(slow.lease(here)) == 1
    with meanwhile(desk, lambda: desk.lease(there, "host-b/boot-1")) as probe:
        slow.commit()
    assert probe.result() == []


def test_a_probe_given_up_leaves_the_try_to_the_other_host(desk: Desk, slow: Slow) -> None:
    desk.order(1000001, 1000002)
    here, there = desk.seats(1), desk.seats(2, "host-b/boot-1")
    for _ in range(3):
        desk.move("site_away", reason="503")
    desk.pass_time(61)
    assert len(slow.lease(here)) == 1
    with meanwhile(desk, lambda: desk.lease(there, "host-b/boot-1")) as probe:
        slow.give_up()
    assert len(probe.result()) == 1


def test_a_batch_put_in_after_the_gates_were_looked_at_is_not_started_unapproved(desk: Desk, slow: Slow) -> None:
    desk.rule("approval_above_cents", 0)
    seats = desk.seats(1)
    slow.connection.execute("lock table registre.rules in access exclusive mode")
    with meanwhile(desk, lambda: desk.lease(seats)) as leased:  # it has looked at the gates, and now at the pace
        orders = Jsonb([order_of(1000001)])
        slow.call("submit_batch", name="lot", client="", author="marie", cap_cents=None, orders=orders)
        slow.commit()
    assert leased.result() == []
    assert [gate for gate, *_ in desk.closures()] == ["approval"]


def test_a_batch_is_cancelled_while_its_jobs_are_leased(desk: Desk, slow: Slow) -> None:
    batch, jobs = desk.batch(1000001, 1000002, 1000003)
    assert len(slow.lease(desk.seats(2))) == 2
    with meanwhile(desk, lambda: desk.move("cancel_batch", batch=batch, author="marie")) as cancelled:
        slow.commit()
    assert cancelled.result() == [{"cancel_batch": 3}]
    assert [desk.state(job)[0] for job in jobs] == [RUNNING, RUNNING, FAILED]
    [asked] = desk.sql("select count(*) as n from extraction_queue where cancel_requested_at is not null")
    assert asked["n"] == 2


def test_three_failures_of_three_hosts_at_once_are_three(desk: Desk, slow: Slow, dsn: str) -> None:
    slow.call("site_away", reason="503")
    with meanwhile(desk, lambda: desk.move("site_away", reason="503")):
        slow.commit()
    with psycopg.connect(dsn, autocommit=True) as third:
        third.execute("select registre.site_away('503', %s)", [desk.now])
    assert [gate for gate, *_ in desk.closures()] == ["breaker"]
