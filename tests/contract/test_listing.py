"""Listings walk an index, whatever is asked for and however rare it is; and every page is the next part of one list."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from registre.database.gateway import DirectGateway
from registre.errors import Refused
from registre.job import JobFilter, Order, Status
from registre.wiring import Store
from tests.contract.test_stores import ACTE, LOT
from tests.desk import Desk

ROWS = 20_000
BATCH = "00000000-0000-0000-0000-00000000000b"

# Clients of very different sizes, all sources, all states; what is rare is old, so that the newest rows are read in vain for it.
# Client 'only-actes' never ordered a plan, and none of its indexes failed.
FILL = """
insert into extraction_queue (document_source, document_number, document_number_normalized, circonscription_fonciere, client,
                              status, error_kind, batch_id, created_at, updated_at, position)
select case when c.client = 'only-actes' and n %% 3 = 2 then 'acte'
            else (array['acte', 'index', 'plan_cadastraux'])[1 + n %% 3] end, n::text, n::text,
    case when n %% 10 < 4 then 'Montréal' when n < 500 then 'La Tuque' else 'Laval' end, c.client, s.status,
    case when s.status <> 'Erreur' then null when n < 300 then 'paper_only' else 'not_found' end,
    case when n %% 40 = 0 then %s::uuid end, now() - (%s - n) * interval '1 second', now(), n
from generate_series(1, %s) n
cross join lateral (select case when n %% 10 < 5 then 'big' when n %% 10 < 9 then 'only-actes'
    else 'small-' || n %% 50 end) c (client)
cross join lateral (select case when c.client = 'only-actes' and n %% 3 = 1 then 'Complété'
    when n < 400 or n %% 7 = 0 then 'Erreur'
    when n > 19980 then 'En traitement' when n %% 11 = 0 then 'En attente' else 'Complété' end) s (status)
"""

CHOICES: dict[str, list[str | None]] = {
    "status": [None, "Erreur", "En traitement", "Complété"],
    "source": [None, "plan_cadastraux", "testament"],
    "client": [None, "only-actes", "small-19", "nobody"],
    "batch": [None, BATCH],
    "kind": [None, "paper_only", "not_found"],
}
NOTHING: dict[str, str | None] = dict.fromkeys(CHOICES)
FILTERS = [dict(zip(CHOICES, chosen, strict=True)) for chosen in product(*CHOICES.values())]
FILTERS += [
    {**NOTHING, "place": place, "status": status, "source": source, "batch": batch}
    for place in ("La Tuque", "Montréal", "Nowhere")
    for status in (None, "Erreur", "En traitement")
    for source in (None, "plan_cadastraux")
    for batch in CHOICES["batch"]
]
FILTERS += [
    {**NOTHING, "number": "120", "place": place, "client": client, "batch": batch, "kind": kind}
    for place in (None, "Montréal", "La Tuque")
    for client in (None, "big", "nobody")
    for batch in CHOICES["batch"]
    for kind in (None, "paper_only")
]


@pytest.fixture(scope="module")
def filled(current_dsn: str, reset: Any) -> Iterator[Desk]:
    reset()
    with DirectGateway(current_dsn) as gateway:
        desk = Desk(gateway, current_dsn)
        with desk.connection.transaction():
            desk.sql("set local session_replication_role = replica")
            desk.sql(FILL, BATCH, ROWS, ROWS)
        desk.sql("vacuum (analyze) extraction_queue")
        yield desk
        desk.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def statement(
    desk: Desk,
    wanted: dict[str, str | None],
    before: dict[str, Any] | None,
    shape: str = "rows",
    *,
    oldest: bool = False,
) -> str:
    [row] = desk.gateway.call(
        "page_statement",
        **wanted,
        before_at=before and before["created_at"],
        before_id=before and before["id"],
        limit=20,
        wanted=shape,
        oldest=oldest,
    )
    return str(row["page_statement"])


@pytest.mark.parametrize("place", ["first page", "in the middle", "near the end"])
def test_no_listing_reads_more_than_a_few_pages_of_rows_or_sorts_them_all(filled: Desk, place: str) -> None:
    before = None
    if place != "first page":
        skip = ROWS // 2 if place == "in the middle" else ROWS - 50
        [before] = filled.sql(
            "select created_at, id from extraction_queue order by created_at desc, id desc offset %s limit 1", skip
        )
    shapes = [("rows", False), ("rows", True), ("count", False)] if before is None else [("rows", False)]
    for wanted, (shape, oldest) in product(FILTERS, shapes):
        asked = statement(filled, wanted, before, shape, oldest=oldest)
        [row] = filled.sql("explain (analyze, buffers, timing off, format json) " + asked.replace("%", "%%"))
        for node in nodes(row["QUERY PLAN"][0]["Plan"]):
            told = f"{wanted}: {node['Node Type']} {node.get('Index Name', '')}"
            read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            assert node.get("Relation Name") != "extraction_queue" or node["Node Type"] != "Seq Scan", told
            assert read <= ROWS / 10, f"{told} reads {read} rows"
            if node.get("Index Name"):
                blocks = (node["Shared Hit Blocks"] + node["Shared Read Blocks"]) / max(1, node["Actual Loops"])
                assert blocks <= 12 + 2 * read, f"{told} reads {blocks} blocks for {read} rows"


FIRST = ("infinity", "ffffffff-ffff-ffff-ffff-ffffffffffff")


@pytest.mark.parametrize("shape", ["rows", "count"])
@pytest.mark.parametrize(
    ("asked", "value"), [("", None), (" and q.client = $1", "c1"), (" and q.error_kind = $1", "paper_only")]
)
def test_a_plan_that_is_kept_reads_no_more_than_a_few_pages_of_rows(
    filled: Desk, asked: str, value: str | None, shape: str
) -> None:
    """Planned once for whatever comes: with no value known."""
    [middle] = filled.sql(
        "select created_at::text as at, id from extraction_queue order by created_at desc offset %s limit 1", ROWS // 2
    )
    filled.sql("deallocate all")
    filled.sql("set plan_cache_mode = force_generic_plan")
    [text] = filled.gateway.call("walks_kept", asked=asked, wanted=shape)
    filled.connection.execute(
        f"prepare kept(text, text, text, timestamptz, uuid, integer) as {text['walks_kept']}".encode()
    )
    try:
        for status, source, (at, row_id) in product(
            (None, "Erreur", "En traitement"), (None, "acte"), (FIRST, (middle["at"], str(middle["id"])))
        ):
            values = ", ".join("null" if each is None else f"'{each}'" for each in (value, status, source, at, row_id))
            [row] = filled.sql(f"explain (analyze, buffers, timing off, format json) execute kept({values}, 20)")
            for node in nodes(row["QUERY PLAN"][0]["Plan"]):
                told = f"{status} {source} {at}: {node['Node Type']} {node.get('Index Name', '')}"
                read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
                assert node.get("Relation Name") != "extraction_queue" or node["Node Type"] != "Seq Scan", told
                assert read <= ROWS / 10, f"{told} reads {read} rows"
    finally:
        filled.sql("deallocate kept")
        filled.sql("reset plan_cache_mode")


def test_counting_reads_no_row_of_the_queue(filled: Desk) -> None:
    [row] = filled.sql("explain (analyze, format json) select * from registre.count_jobs()")
    assert {node.get("Relation Name") for node in nodes(row["QUERY PLAN"][0]["Plan"])} <= {"job_counts", None}


def test_the_pages_of_every_listing_are_the_list(filled: Desk) -> None:
    columns = {
        "status": "status",
        "source": "document_source",
        "client": "client",
        "batch": "batch_id",
        "kind": "error_kind",
        "number": "document_number_normalized",
        "place": "circonscription_fonciere",
    }
    for wanted in FILTERS[:: len(FILTERS) // 40]:
        asked = {columns[name]: value for name, value in wanted.items() if value is not None}
        where = "".join(f" and {column} = %s" for column in asked)
        every = filled.sql(
            f"select id from extraction_queue where true{where} order by created_at desc, id desc limit 250",  # noqa: S608
            *asked.values(),
        )
        seen: list[Any] = []
        while len(seen) < len(every):
            last = filled.sql("select created_at, id from extraction_queue where id = %s", seen[-1])[0] if seen else {}
            page = filled.gateway.call(
                "page_of_jobs", **wanted, before_at=last.get("created_at"), before_id=last.get("id"), limit=100
            )
            assert page, wanted
            seen += [row["id"] for row in page]
        assert seen[: len(every)] == [str(row["id"]) for row in every]


def test_a_list_that_begins_at_its_other_end_holds_the_same(filled: Desk) -> None:
    for wanted in FILTERS[:: len(FILTERS) // 10]:
        newest = [row["id"] for row in filled.gateway.call("page_of_jobs", **wanted, limit=ROWS)]
        oldest: list[Any] = []
        last: dict[str, Any] = {}
        while rows := filled.gateway.call(
            "page_of_jobs",
            **wanted,
            before_at=last.get("created_at"),
            before_id=last.get("id"),
            limit=max(100, len(newest) // 3),
            oldest=True,
        ):
            oldest += [row["id"] for row in rows]
            last = rows[-1]
        assert oldest == newest[::-1], wanted


def test_a_page_says_where_the_next_begins_and_the_last_says_that_there_is_none(store: Store) -> None:
    ids = [store.queue.submit([Order(LOT if number % 2 else ACTE, client="a")])[0] for number in range(7)]
    wanted = JobFilter(status=Status.WAITING, client="a")
    seen, cursor, pages = [], None, 0
    while True:
        page = store.views.page(wanted, cursor, limit=3)
        seen += [job.id for job in page.jobs]
        pages += 1
        store.queue.submit([Order(LOT, client="a")])  # what comes meanwhile moves no page
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert (seen, pages) == (ids[::-1], 3)


def test_orders_of_one_instant_are_parted_by_their_id(store: Store) -> None:
    ids = store.queue.submit([Order(LOT)] * 5)
    first = store.views.page(JobFilter(), limit=2)
    rest = store.views.page(JobFilter(), first.next_cursor, limit=5)
    assert {job.id for job in (*first.jobs, *rest.jobs)} == set(ids)
    assert len(rest.jobs) == 3


@pytest.mark.parametrize(
    "wanted", [JobFilter(client="x' or true --"), JobFilter(source="%s"), JobFilter(error_kind="a\\'b")]
)
def test_what_is_asked_for_is_a_value_and_never_a_statement(store: Store, wanted: JobFilter) -> None:
    store.queue.submit([Order(LOT)])
    assert store.views.page(wanted).jobs == ()


@pytest.mark.parametrize("cursor", ["x", "_", "2026-01-01_x", "x_00000000-0000-0000-0000-000000000000"])
def test_a_cursor_that_is_none_of_a_listing_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(Refused, match="no cursor"):
        store.views.page(JobFilter(), cursor)


def test_a_choice_that_no_index_serves_is_refused_in_a_sentence(store: Store) -> None:
    for wanted in (JobFilter(circonscription="Laval", client="a"), JobFilter(circonscription="Laval", error_kind="x")):
        with pytest.raises(Refused, match="not with a client or a kind of error"):
            store.views.page(wanted)


def test_a_listing_is_counted_no_further_than_asked(store: Store) -> None:
    store.queue.submit([Order(LOT, client="a")] * 4 + [Order(ACTE, client="b")])
    number = LOT.number_normalized
    assert [store.views.count(JobFilter(client="a"), limit) for limit in (3, 4, 10)] == [3, 4, 4]
    assert store.views.count(JobFilter(number=number), 10) == 4
    assert store.views.count(JobFilter(number=number, client="b"), 10) == 0
    assert {job.client for job in store.views.page(JobFilter(number=number)).jobs} == {"a"}


def test_a_batch_that_is_no_id_is_refused(store: Store) -> None:
    with pytest.raises(Refused):
        store.views.page(JobFilter(batch_id="twelve"))
