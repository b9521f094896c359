"""What a closed gate holds back costs the others nothing, however much it is, and changes nothing of their order."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.desk import Desk, Held

BACKLOG = 50_000

FILL = """
insert into extraction_queue (document_source, document_number, client, batch_id, identity_key, lane, position, priority,
                              status, attemtps, max_attempts, created_at, updated_at)
select 'acte', n::text, 'closed', null, 'fill|' || n, registre.lane('closed', 'acte', null), n, 5, 'En attente',
       0, 3, now(), now()
from generate_series(1, %s) n
"""


def fill(desk: Desk, rows: int = BACKLOG) -> None:
    """A backlog of one client at the head of the queue, as submit_jobs would have left it."""
    with desk.connection.transaction():
        desk.sql("set local session_replication_role = replica")
        desk.sql(FILL, rows)
        desk.sql("insert into registre.job_counts (status, jobs) values ('En attente', %s)", rows)
    desk.sql("analyze extraction_queue")


def read_by(desk: Desk, function: str, **arguments: object) -> int:
    """How many rows of the queue one call reads, by the server's own count; never by a walk over all of them."""
    named = ", ".join(f"p_{name} => %({name})s" for name in arguments)
    counted = (
        "select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as n, seq_scan from pg_stat_xact_user_tables "
        "where relname = 'extraction_queue' and schemaname = 'public'"
    )
    with desk.connection.transaction():
        desk.sql("select 1 from extraction_queue limit 0")
        before = desk.sql(counted)
        desk.connection.execute(f"select * from registre.{function}({named})".encode(), arguments).fetchall()  # noqa: S608
        after = desk.sql(counted)
    was = before[0] if before else {"n": 0, "seq_scan": 0}
    assert after[0]["seq_scan"] == was["seq_scan"]
    return int(after[0]["n"] - was["n"])


def test_a_closed_backlog_at_the_head_changes_nothing_for_the_others_and_is_never_read(desk: Desk) -> None:
    fill(desk)
    desk.order(1000001, 1000002, 1000003, client="a")
    desk.order(2000001, 2000002, client="b", source="plan_cadastraux")
    desk.order(3000001, client="b", priority=9)
    others = desk.sql("select id from extraction_queue where client <> 'closed' order by priority desc, position, id")
    desk.pause("client", "closed")
    closed = Jsonb({"client": ["closed"]})
    assert read_by(desk, "heads", limit=6, closed=closed, now=desk.now) < 200
    taken: list[Held] = []
    for owner in ("host-a/boot-1", "host-b/boot-1"):
        taken += desk.lease(desk.seats(3, owner), owner)
    assert [held.id for held in taken] == [str(row["id"]) for row in others]
    assert desk.lease(desk.seats(3, "host-c/boot-1"), "host-c/boot-1") == []


@pytest.mark.parametrize("gate", ["pause", "frozen", "budget", "approval"])
def test_whatever_closes_the_backlog_it_is_not_read(desk: Desk, gate: str) -> None:
    fill(desk, 5_000)
    [other] = desk.order(1000001, client="b")
    if gate == "pause":
        desk.pause("client", "closed")
    elif gate == "frozen":
        desk.move("freeze_source", source="acte", reason="no form")
    elif gate == "budget":
        desk.budget("client", "closed", "day", 0)
    else:
        desk.rule("approval_above_cents", 0)
        batch, _ = desk.batch(2000001)
        desk.sql(
            "update extraction_queue set batch_id = %s, lane = registre.lane(client, document_source, %s) "
            "where client = 'closed'",
            batch,
            batch,
        )
        desk.sql("analyze extraction_queue")
    [seat] = desk.seats(1)
    seats = Jsonb([{"account": seat.account_id, "token": seat.token, "worker": seat.worker}])
    read = read_by(desk, "lease_next", owner="host-a/boot-1", seats=seats, visibility_seconds=60, now=desk.now)
    assert read < 300
    assert desk.state(other) == ("En traitement", None)


def test_an_open_backlog_is_read_no_further_than_its_head(desk: Desk) -> None:
    fill(desk, 5_000)
    assert read_by(desk, "heads", limit=3, closed=None, now=desk.now) < 50


def test_looking_at_the_gates_reads_no_backlog(desk: Desk) -> None:
    fill(desk, 5_000)
    desk.rule("approval_above_cents", 0)
    desk.batch(*range(2000001, 2000021), cap=0)
    assert read_by(desk, "closures", now=desk.now) < 50


def test_rows_locked_by_a_person_at_the_head_do_not_stop_the_rest_of_an_open_lane(desk: Desk, dsn: str) -> None:
    jobs = desk.order(*range(1000001, 1000016))
    desk.pause("client", "somebody else")
    with psycopg.connect(dsn) as person:
        person.execute("select 1 from extraction_queue where id = any (%s) for update", [jobs[:10]])
        assert [held.id for held in desk.lease(desk.seats(1))] == jobs[10:11]


def test_a_row_that_had_ended_before_there_were_lanes_is_leased_when_it_is_put_back(desk: Desk) -> None:
    held = desk.leased()
    desk.fail(held)
    desk.sql("set session_replication_role = replica")
    desk.sql("update extraction_queue set lane = null where id = %s", held.id)
    desk.sql("set session_replication_role = origin")
    desk.meddle(held.id, "status = 'En attente'")
    desk.pause("client", "somebody else")
    assert [again.id for again in desk.lease(desk.seats(1))] == [held.id]


def test_a_thousand_repeats_of_one_document_at_the_head_are_put_off_together(desk: Desk) -> None:
    [first] = desk.order(2784195)
    repeats = desk.order(*[2784195] * 999, priority=2)
    [other] = desk.order(1000001, priority=1)
    [buying] = desk.lease(desk.seats(1))
    assert buying.id == repeats[0]
    [held] = desk.lease(desk.seats(1))
    assert held.id == other
    put_off = desk.sql("select count(*) as n from registre.events where kind = 'job.put_off'")
    assert put_off == [{"n": 999}]
    assert desk.why(repeats[1]).endswith(f"another order is buying the same document: {buying.id}")
    desk.pass_time(31)
    assert desk.lease(desk.seats(1)) == []
    assert desk.sql("select count(*) as n from registre.events where kind = 'job.put_off'") == put_off, (
        "it is told once"
    )
    assert not desk.job(first)["is_due"]
