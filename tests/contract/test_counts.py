"""The counts of each status are those of the rows, whoever moves them and whenever the differences are folded together."""

from __future__ import annotations

import psycopg
import pytest

from registre.wiring import Store
from tests.desk import Desk

DIFFERENCES = "select count(*) as n from registre.job_counts"
INSERT = "insert into extraction_queue (document_source, document_number, status) "


def counts(store: Store) -> list[int]:
    return list(store.views.counts().values())


FOREIGN = {
    "insert": (
        INSERT + "values ('acte', '1', 'En attente'), ('acte', '2', 'Erreur'), ('acte', '3', 'Erreur')",
        [8, 0, 3, 5],
    ),
    "update": ("update extraction_queue set status = 'Erreur' where status = 'En attente'", [0, 0, 3, 10]),
    "update that changes nothing": ("update extraction_queue set status = status, updated_at = now()", [7, 0, 3, 3]),
    "delete": ("delete from extraction_queue where status = 'Complété'", [7, 0, 0, 3]),
    "delete of nothing": ("delete from extraction_queue where false", [7, 0, 3, 3]),
    "insert or update": (
        "insert into extraction_queue as q (id, document_source, document_number, status) select id, 'acte', '5', 'Erreur' "  # noqa: ISC004
        "from extraction_queue where status = 'Complété' on conflict (id) do update set status = 'En traitement'",
        [7, 3, 0, 3],
    ),
    "truncate": ("truncate extraction_queue", [0, 0, 0, 0]),
}


@pytest.mark.parametrize("folded", [False, True], ids=["as they are", "folded"])
@pytest.mark.parametrize("act", FOREIGN)
def test_what_another_program_does_to_the_table_is_counted(desk: Desk, store: Store, act: str, *, folded: bool) -> None:
    desk.order(*range(1000001, 1000008))
    desk.sql(INSERT + "values " + ", ".join(["('acte', '1', 'Complété'), ('acte', '1', 'Erreur')"] * 3))
    if folded:
        desk.reclaim()
    assert counts(store) == [7, 0, 3, 3]
    statement, expected = FOREIGN[act]
    desk.sql(statement)
    assert counts(store) == expected
    desk.meddled += [str(row["id"]) for row in desk.sql("select id from extraction_queue")]
    desk.reclaim()
    assert counts(store) == expected


def test_a_whole_life_is_counted_at_each_step(desk: Desk, store: Store) -> None:
    seen = [counts(store)]
    desk.order(2784195)
    seen.append(counts(store))
    [held] = desk.lease(desk.seats(1))
    seen.append(counts(store))
    purchase = desk.intend(held)
    desk.secure(purchase)
    desk.deliver(purchase)
    seen.append(counts(store))
    assert seen == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]


def test_a_transaction_given_up_counts_nothing(desk: Desk, store: Store, dsn: str) -> None:
    with psycopg.connect(dsn) as other:
        other.execute("insert into extraction_queue (document_source, document_number) values ('acte', '1')")
        assert counts(store) == [0, 0, 0, 0]
        other.rollback()
    assert counts(store) == [0, 0, 0, 0]


def test_upkeep_folds_the_differences_into_one_row_for_each_status(desk: Desk, store: Store) -> None:
    seats = desk.seats(1)
    desk.order(*range(1000001, 1000011))
    for _ in range(10):
        desk.fail(desk.lease(seats)[0])
    assert desk.sql(DIFFERENCES)[0]["n"] > 20
    desk.reclaim()
    assert desk.sql(DIFFERENCES) == [{"n": 1}]
    assert counts(store) == [0, 0, 0, 10]


def test_differences_of_transactions_still_open_are_folded_later(desk: Desk, store: Store, dsn: str) -> None:
    with psycopg.connect(dsn) as other:
        other.execute("insert into extraction_queue (document_source, document_number) values ('acte', '1')")
        desk.order(1000001)
        desk.reclaim()
        assert counts(store) == [1, 0, 0, 0]
        other.commit()
    assert counts(store) == [2, 0, 0, 0]
    desk.reclaim()
    assert counts(store) == [2, 0, 0, 0]


def test_two_hosts_fold_at_once_and_nothing_is_folded_twice(desk: Desk, store: Store, dsn: str) -> None:
    desk.order(*range(1000001, 1000006))
    with psycopg.connect(dsn) as other:
        other.execute("select * from registre.reclaim(10, 600, 1800, 100)")
        assert desk.reclaim() == [], "the second neither waits nor folds"
        other.commit()
    desk.reclaim()
    assert counts(store) == [5, 0, 0, 0]
