"""What the queue promises about leases: order, fairness, tokens, attempts."""

from __future__ import annotations

import pytest

from registre.errors import LeaseLost
from tests.desk import OWNER, VISIBILITY, Desk, End, Held

WAITING, RUNNING, FAILED = "En attente", "En traitement", "Erreur"


def test_a_lease_names_its_job_and_counts_the_attempt(desk: Desk) -> None:
    held = desk.leased()
    row = desk.job(held.id)
    assert (row["status"], row["attemtps"], row["lease_token"], row["lease_owner"]) == (RUNNING, 1, held.token, OWNER)
    assert row["account_id"] == held.account
    assert row["worker_id"] == "host-a/account-000"
    assert desk.attempts(held.id) == [(1, None)]


def test_the_token_rises_with_each_lease(desk: Desk) -> None:
    [job] = desk.order(1000001)
    seats = desk.seats(1)
    tokens = []
    for _ in range(3):
        [held] = desk.lease(seats)
        assert held.id == job
        tokens.append(held.token)
        desk.release(held)
    assert tokens == sorted(set(tokens))


def test_priority_comes_before_fair_share_and_fair_share_before_age(desk: Desk) -> None:
    many = desk.order(*range(1000001, 1000301), client="big")
    few = desk.order(2000001, 2000002, 2000003, client="small")
    [urgent] = desk.order(3000001, client="big", priority=1)
    order = [held.id for held in desk.lease(desk.seats(8))]
    assert order[0] == urgent
    # each client's orders in their own order, and the second client's three among the first ones of the 300
    assert [job for job in order if job in few] == few
    assert [job for job in order[1:] if job in many] == many[:4]


def test_a_client_that_comes_late_starts_where_the_queue_is_being_served(desk: Desk) -> None:
    many = desk.order(*range(1000001, 1000301), client="big")
    seats = desk.seats(2)
    for _ in range(100):
        for held in desk.lease(seats):
            desk.fail(held)
    late = desk.order(*range(2000001, 2000011), client="late")
    following = [held.id for _ in range(5) for held in fail_all(desk, desk.lease(seats))]
    assert len(set(following) & set(late)) == 5, "the late client gets every second place, neither all nor none"
    assert len(set(following) & set(many)) == 5


def fail_all(desk: Desk, leased: list[Held]) -> list[Held]:
    for held in leased:
        desk.fail(held)
    return leased


def test_an_account_holds_one_live_job_at_a_time(desk: Desk) -> None:
    desk.order(1000001, 1000002, 1000003)
    seats = desk.seats(1)
    [first] = desk.lease(seats)
    assert desk.lease(seats) == []
    desk.release(first)
    assert len(desk.lease(seats)) == 1


def test_an_account_of_another_owner_gets_nothing(desk: Desk) -> None:
    desk.order(1000001)
    seats = desk.seats(1, owner="host-b/boot-9")
    assert desk.lease(seats) == []
    assert len(desk.lease(seats, owner="host-b/boot-9")) == 1


def test_an_account_whose_lease_ran_out_gets_nothing(desk: Desk) -> None:
    desk.order(1000001)
    seats = desk.seats(1)
    desk.pass_time(864_001)
    assert desk.lease(seats) == []


@pytest.mark.parametrize("end", [Desk.release, Desk.snooze], ids=["release", "snooze"])
def test_an_attempt_given_back_is_not_consumed(desk: Desk, end: End) -> None:
    [job] = desk.order(1000001, max_attempts=1)
    seats = desk.seats(1)
    for _ in range(3):
        desk.pass_time(61)
        [held] = desk.lease(seats)
        assert held.attempt == 1
        end(desk, held)
        assert desk.state(job) == (WAITING, None)
    assert desk.job(job)["attemtps"] == 0


def test_a_retried_attempt_is_consumed_and_the_last_one_ends_the_job(desk: Desk) -> None:
    [job] = desk.order(1000001, max_attempts=2)
    seats = desk.seats(1)
    [first] = desk.lease(seats)
    desk.retry(first)
    assert desk.state(job) == (WAITING, None)
    desk.pass_time(11)
    [second] = desk.lease(seats)
    assert second.attempt == 2
    desk.retry(second)
    assert desk.state(job) == (FAILED, "attempts_exhausted")
    assert desk.job(job)["error_message"] == "no"
    assert desk.attempts(job) == [(1, "retried"), (2, "failed")]


def test_a_job_put_off_is_leased_when_its_time_has_come_and_not_before(desk: Desk) -> None:
    [job] = desk.order(1000001)
    seats = desk.seats(1)
    [held] = desk.lease(seats)
    desk.snooze(held, delay=60)
    assert not desk.job(job)["is_due"]
    desk.pass_time(59)
    assert desk.lease(seats) == []
    desk.pass_time(2)
    assert [again.id for again in desk.lease(seats)] == [job]


def test_a_job_that_breaks_every_browser_is_rescued_ten_times_and_ends(desk: Desk) -> None:
    [job] = desk.order(1000001)
    seats = desk.seats(1)
    for rescue in range(11):
        [held] = desk.lease(seats)
        desk.snooze(held, delay=0, rescued=True)
        assert desk.job(job)["rescues"] == min(rescue + 1, 10)
    assert desk.state(job) == (FAILED, "attempts_exhausted")


def test_an_ended_job_is_never_leased(desk: Desk) -> None:
    held = desk.leased()
    desk.fail(held)
    desk.pass_time(10_000)
    assert desk.lease(desk.seats(3)) == []


ENDS: dict[str, End] = {
    "release": Desk.release,
    "snooze": Desk.snooze,
    "retry": Desk.retry,
    "fail": Desk.fail,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_foreign_token_changes_nothing(desk: Desk, end: End) -> None:
    held = desk.leased()
    before = desk.job(held.id)
    for token in (held.token - 1, held.token + 1):
        with pytest.raises(LeaseLost):
            end(desk, Held(held.id, token, held.account, 1))
    assert desk.job(held.id) == before


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_token_ends_one_lease_once(desk: Desk, end: End) -> None:
    held = desk.leased()
    desk.release(held)
    before = desk.job(held.id)
    with pytest.raises(LeaseLost):
        end(desk, held)
    assert desk.job(held.id) == before


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_former_owner_cannot_touch_the_new_owners_job(desk: Desk, end: End) -> None:
    former = desk.leased()
    desk.pass_time(VISIBILITY + 1)
    desk.reclaim(backoff=0)
    [present] = desk.lease(desk.seats(1))
    assert present.id == former.id
    before = desk.job(former.id)
    with pytest.raises(LeaseLost):
        end(desk, former)
    with pytest.raises(LeaseLost):
        desk.intend(former)
    assert desk.job(former.id) == before


def test_an_owner_whose_lease_ran_out_may_still_say_how_it_ended_until_somebody_judges(desk: Desk) -> None:
    held = desk.leased()
    desk.pass_time(VISIBILITY + 1)
    desk.fail(held)
    assert desk.state(held.id) == (FAILED, "not_found")
    assert desk.reclaim() == []


def test_an_owner_whose_lease_ran_out_buys_nothing(desk: Desk) -> None:
    held = desk.leased()
    desk.pass_time(VISIBILITY + 1)
    with pytest.raises(LeaseLost):
        desk.intend(held)


def test_renewal_keeps_what_is_held_and_names_nothing_else(desk: Desk) -> None:
    desk.order(1000001, 1000002, 1000003)
    seats = desk.seats(3)
    kept, lost, expired = desk.lease(seats)
    desk.fail(lost)
    desk.sql("update extraction_queue set lease_until = %s where id = %s", desk.now, expired.id)
    foreign = Held(kept.id, kept.token + 1, kept.account, 1)
    rows = desk.renew([kept, lost, expired, foreign], seats[:2])
    assert [row["id"] for row in rows if row["kind"] == "job"] == [kept.id]
    assert {row["id"] for row in rows if row["kind"] == "account"} == {seat.account_id for seat in seats[:2]}
    assert desk.job(expired.id)["lease_until"] == desk.now, "a lease past its end is not revived"


def test_renewal_by_another_owner_keeps_nothing(desk: Desk) -> None:
    held = desk.leased()
    assert desk.renew([held], owner="host-b/boot-1") == []


def test_renewal_carries_the_request_to_cancel(desk: Desk) -> None:
    held = desk.leased()
    assert [row["cancel_requested"] for row in desk.renew([held])] == [False]
    assert desk.cancel(held.id) == "requested"
    assert [row["cancel_requested"] for row in desk.renew([held])] == [True]


def test_ten_thousand_orders_go_in_at_once_in_their_order(desk: Desk) -> None:
    numbers = range(1_000_000, 1_010_000)
    jobs = desk.order(*numbers)
    rows = desk.sql("select id::text, document_number, position from extraction_queue order by position")
    assert [row["id"] for row in rows] == jobs
    assert [row["document_number"] for row in rows] == [str(number) for number in numbers]
    assert desk.sql("select count(*) as n from registre.events where kind = 'job.submitted'") == [{"n": 10_000}]


def test_rows_of_another_program_are_jobs(desk: Desk) -> None:
    [row] = desk.sql(
        "insert into extraction_queue (document_source, document_number, circonscription_fonciere, cadastre) "
        "values ('index', '2 784 195', 'Montréal', 'Cadastre du Québec') returning *"
    )
    assert row["document_number_normalized"] == "2784195"
    assert row["identity_key"] == "index|2784195||000001||"
    assert (row["status"], row["attemtps"], row["max_attempts"]) == (WAITING, 0, 3)
    assert row["position"] > 0
    assert [held.id for held in desk.lease(desk.seats(1))] == [str(row["id"])]


def test_an_order_that_another_program_corrects_is_another_document(desk: Desk) -> None:
    [job] = desk.order(2784195)
    desk.sql("update extraction_queue set document_number = '2 784 196' where id = %s", job)
    row = desk.job(job)
    assert (row["document_number_normalized"], row["identity_key"]) == ("2784196", "index|2784196||000001||")
