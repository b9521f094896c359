"""Ids of orders: they begin with their instant, so that what is new lies together in every index that has them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from tests.desk import Desk


def instant_of(job: str) -> datetime:
    return datetime.fromtimestamp((UUID(job).int >> 80) / 1000, UTC)


def test_the_id_of_an_order_begins_with_the_instant_of_the_database(desk: Desk) -> None:
    before, after = "select date_trunc('milliseconds', clock_timestamp()) as at", "select clock_timestamp() as at"
    began = desk.sql(before)[0]["at"]
    jobs = desk.order(1, 2, 3)
    assert all(began <= instant_of(job) <= desk.sql(after)[0]["at"] for job in jobs)
    assert {(UUID(job).version, UUID(job).variant) for job in jobs} == {(7, "specified in RFC 4122")}
    assert len(set(jobs)) == 3


def test_an_order_of_another_program_keeps_the_id_it_came_with(desk: Desk) -> None:
    own = "00000000-0000-4000-8000-000000000001"
    desk.sql("insert into public.extraction_queue (id, document_source, document_number) values (%s, 'acte', '1')", own)
    assert [str(row["id"]) for row in desk.sql("select id from public.extraction_queue")] == [own]
