"""Two programs at once, at the queue: each job is leased, judged, ended and completed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg

from registre.database.gateway import Json
from registre.errors import LeaseLost, Refused
from tests.desk import HOST_GONE, OWNER, SHA, VISIBILITY, Desk, Held
from tests.rivals import Slow, meanwhile

WAITING, RUNNING, DONE, FAILED = "En attente", "En traitement", "Complété", "Erreur"


# -- leases


def test_two_calls_for_one_seat_lease_one_job(desk: Desk, slow: Slow) -> None:
    desk.order(1000001, 1000002)
    seats = desk.seats(1)
    assert len(slow.lease(seats)) == 1
    with meanwhile(desk, lambda: desk.lease(seats)) as second:
        slow.commit()
    assert second.result() == []


def test_a_lease_that_waited_begins_after_the_one_that_ended_meanwhile(desk: Desk, slow: Slow) -> None:
    first, second = desk.seats(2)
    [job] = desk.order(1000001)
    [held] = desk.lease([first])
    slow.connection.execute(
        "select from worker_accounts where id::text = %s for update", [second.account_id]
    )  # as a renewal holds it
    seats = Json([{"account": second.account_id, "token": second.token, "worker": second.worker}])

    def lease() -> list[dict[str, Any]]:
        return desk.gateway.call("lease_next", owner=OWNER, seats=seats, visibility_seconds=VISIBILITY)

    with meanwhile(desk, lease) as taken:
        desk.gateway.call("release_job", job=held.id, token=held.token)
        slow.commit()
    assert [str(row["id"]) for row in taken.result()] == [job]
    one, other = desk.sql("select started_at, ended_at from registre.attempts order by token")
    assert one["ended_at"] < other["started_at"], "two owners at one time, by their attempts"


def test_many_programs_never_lease_one_job_twice(desk: Desk) -> None:
    jobs = desk.order(*range(1000001, 1000061))
    owners = [f"host-{n}/boot" for n in range(4)]
    seats = {owner: desk.seats(5, owner) for owner in owners}
    together = Barrier(len(owners))

    def work(owner: str) -> list[Held]:
        together.wait()
        taken: list[Held] = []
        for _ in range(3):
            held = [
                Held(str(row["id"]), row["token"], row["account_id"], row["attempt"])
                for row in desk.gateway.call(
                    "lease_next",
                    owner=owner,
                    seats=Json([{"account": s.account_id, "token": s.token, "worker": s.worker} for s in seats[owner]]),
                    visibility_seconds=VISIBILITY,
                    now=desk.now,
                )
            ]
            for each in held:
                desk.gateway.call(
                    "fail_job", job=each.id, token=each.token, kind="not_found", message="no", now=desk.now
                )
            taken += held
        return taken

    with ThreadPoolExecutor(len(owners)) as pool:
        taken = [held.id for done in [pool.submit(work, owner) for owner in owners] for held in done.result()]
    assert len(taken) == len(set(taken))
    assert set(taken) <= set(jobs)
    assert len(taken) > 60 / 2, "they got in each other's way"


def test_renewing_and_leasing_at_once_never_wait_for_each_other(desk: Desk) -> None:
    desk.order(*range(1000001, 1000201))
    seats = desk.seats(6)
    backwards = list(reversed(seats))
    together = Barrier(2)

    def renew() -> None:
        together.wait()
        for _ in range(40):
            desk.renew([], backwards)

    def lease() -> None:
        together.wait()
        for _ in range(20):
            for held in desk.lease(seats):
                desk.release(held)

    # a deadlock would end one of them with DatabaseUnavailable
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(renew), pool.submit(lease)]:
            done.result()


# -- reclaim


def test_two_hosts_reclaim_each_job_once(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    desk.pass_time(VISIBILITY + 1)
    assert slow.reclaim() != []
    assert desk.reclaim() == [], "the second neither waits nor judges again"
    slow.commit()
    assert desk.reclaim() == []
    assert desk.job(held.id)["rescues"] == 1


def test_a_job_whose_owner_is_just_writing_is_not_judged(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    slow.call("intend", job=held.id, token=held.token, host="host-a")
    desk.pass_time(VISIBILITY + 1)
    assert desk.reclaim() == []
    slow.commit()
    assert desk.reclaim() == [(held.id, "ambiguous_purchase")]


def test_an_intent_that_waited_for_a_reclaim_is_refused(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    before = desk.now
    desk.pass_time(VISIBILITY + 1)
    slow.reclaim()
    desk.now = before
    with meanwhile(desk, lambda: desk.intend(held)) as intent:
        slow.commit()
    assert isinstance(intent.exception(), LeaseLost)
    assert desk.sql("select 1 from registre.purchases") == []


def test_a_file_secured_while_its_job_is_being_given_up_heals_it(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.pass_time(VISIBILITY + 1)
    slow.reclaim()
    with meanwhile(desk, lambda: desk.secure(purchase)) as secured:
        slow.commit()
    assert secured.result() == "secured"
    assert desk.deliver(purchase) == "completed"


def test_a_job_is_not_given_up_while_its_file_is_being_secured(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.pass_time(VISIBILITY + 1)
    slow.call("secure_purchase", purchase=purchase, sha256=SHA, size_bytes=1, pages=1)
    assert desk.reclaim() == []
    slow.commit()
    assert desk.reclaim() == []
    assert desk.purchase(purchase)["state"] == "secured"


def test_securing_and_giving_up_lock_in_one_order(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    # as reclaim does: the job first, later its purchase
    slow.connection.execute("select 1 from extraction_queue where id = %s for update", [held.id])
    with meanwhile(desk, lambda: desk.secure(purchase)) as secured:
        slow.connection.execute("select 1 from registre.purchases where id = %s for update", [purchase])
        slow.commit()
    assert secured.result() == "secured"


def test_a_delivery_that_races_with_giving_the_host_up_completes_the_job(desk: Desk, slow: Slow) -> None:
    desk.register()
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.pass_time(HOST_GONE + 1)
    assert slow.reclaim() != []
    with meanwhile(desk, lambda: desk.deliver(purchase)) as delivered:
        slow.commit()
    assert delivered.result() == "completed"
    assert desk.state(held.id) == (DONE, None)


def test_two_deliveries_at_once_complete_the_job_once(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    purchase = desk.intend(held)
    desk.secure(purchase)
    slow.call("deliver", purchase=purchase, sha256=SHA, bucket="index", object_key="k.pdf")
    with meanwhile(desk, lambda: desk.deliver(purchase)) as second:
        slow.commit()
    assert second.result() == "repeated"
    completed = "select count(*) as n from registre.events where kind = 'job.completed'"
    assert desk.sql(completed) == [{"n": 1}]


def test_a_renewal_that_waited_for_a_reclaim_keeps_nothing(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    before = desk.now
    desk.pass_time(VISIBILITY + 1)
    slow.reclaim()
    desk.now = before
    with meanwhile(desk, lambda: desk.renew([held])) as renewed:
        slow.commit()
    assert renewed.result() == []


# -- intents


def test_of_two_intents_for_one_document_one_is_granted(desk: Desk, slow: Slow) -> None:
    first, second = desk.two_of_one_document()
    slow.call("intend", job=first.id, token=first.token, host="host-a")
    with meanwhile(desk, lambda: desk.intend(second)) as verdict:
        slow.commit()
    assert verdict.result() == "in_progress"


def test_an_intent_that_is_given_up_leaves_the_document_to_the_other(desk: Desk, slow: Slow) -> None:
    first, second = desk.two_of_one_document()
    slow.call("intend", job=first.id, token=first.token, host="host-a")
    with meanwhile(desk, lambda: desk.intend(second)) as verdict:
        slow.give_up()
    assert desk.purchase(verdict.result())["job_id"] is not None


def test_a_cancel_that_waited_for_an_intent_is_refused(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    slow.call("intend", job=held.id, token=held.token, host="host-a")
    with meanwhile(desk, lambda: desk.cancel(held.id)) as cancelled:
        slow.commit()
    assert isinstance(cancelled.exception(), Refused)


def test_an_intent_that_waited_for_a_cancel_buys_nothing(desk: Desk, slow: Slow) -> None:
    held = desk.leased()
    slow.call("cancel_job", job=held.id, author="a test")
    with meanwhile(desk, lambda: desk.intend(held)) as verdict:
        slow.commit()
    assert verdict.result() == "cancelled"


def test_a_cancel_that_waited_for_a_lease_asks_the_owner(desk: Desk, slow: Slow) -> None:
    [job] = desk.order(1000001)
    assert len(slow.lease(desk.seats(1))) == 1
    with meanwhile(desk, lambda: desk.cancel(job)) as cancelled:
        slow.commit()
    assert cancelled.result() == "requested"


# -- orders


def test_an_order_held_open_by_another_program_keeps_nobody_waiting(desk: Desk, dsn: str) -> None:
    with psycopg.connect(dsn) as other:
        other.execute("insert into extraction_queue (document_source, document_number) values ('index', '1')")
        jobs = desk.order(*range(1000001, 1000006))
        third = desk.order(3000001, client="third")[0]
        order = [held.id for held in desk.lease(desk.seats(4))]
        assert [job for job in order if job in jobs] == jobs[:3], "in their own order"
        assert third in order, "and not before everybody else"
        other.commit()
    assert len(desk.lease(desk.seats(9))) == 3


def test_programs_that_order_for_the_same_clients_in_other_orders_do_not_wait_for_each_other(
    desk: Desk, dsn: str
) -> None:
    insert = "insert into extraction_queue (document_source, document_number, client) values ('index', '1', %s)"
    with psycopg.connect(dsn) as one, psycopg.connect(dsn) as other:
        one.execute(insert, ["a"])
        other.execute(insert, ["b"])
        one.execute(insert, ["b"])
        other.execute(insert, ["a"])
    assert desk.sql("select count(*) as n from extraction_queue") == [{"n": 4}]
