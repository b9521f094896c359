"""The gateway over a project's HTTP API gives what the direct one gives, and says what is wrong in a sentence without the key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from threading import Event
from uuid import UUID

import pytest

from registre.database import schema
from registre.database.gateway import DirectGateway, Gateway, Json
from registre.database.rest import RestGateway
from registre.errors import ConfigurationError, DatabaseUnavailable, LeaseLost, NotFound, Refused, RegistreError
from registre.project import Project, connected
from tests.desk import Desk, order_of
from tests.supabase.server import EXPIRED_KEY, SECRET_KEY, StandIn

NOBODY = "00000000-0000-0000-0000-000000000000"

EVERY_TYPE = """
create function registre.every_type(p_uuid uuid, p_at timestamptz, p_day date, p_time time, p_float double precision,
    p_money numeric, p_big bigint, p_words text[], p_ids uuid[], p_data jsonb, p_yes boolean, p_text text)
returns table (uuid uuid, at timestamptz, day date, "time" time, "float" double precision, money numeric, big bigint,
    words text[], ids uuid[], data jsonb, yes boolean, text text, kind text)
language sql stable as $$ select p_uuid, p_at, p_day, p_time, p_float, p_money, p_big, p_words, p_ids, p_data, p_yes, p_text,
    jsonb_typeof(p_data) $$;
create function registre.whole_row(p_r text) returns registre.fees language sql stable as $$
    select f from registre.fees f limit 1 $$;
create function registre.no_row() returns setof uuid language sql stable as $$ select null::uuid where false $$;
create function registre.r(p_r integer) returns integer language sql stable as $$ select p_r $$;
create function registre.nothing() returns void language sql as $$ select 1 $$;
create function registre.many(p_count integer) returns setof integer language sql stable as $$
    select generate_series(1, p_count) $$;
"""
NAMES = ("every_type", "whole_row", "no_row", "r", "nothing", "many")

VALUES = {
    "uuid": UUID("11111111-2222-3333-4444-555555555555"),
    "at": datetime(2026, 11, 26, 17, 39, 31, 123456, UTC),
    "day": date(2026, 2, 28),
    "time": time(8, 30),
    "float": 150.0,
    "money": Decimal("12345678.1234"),
    "big": 9007199254740993,
    "words": ["é", "b,c", ""],
    "ids": [UUID(NOBODY)],
    "data": Json({"n": [1, {"a": None}], "œ": "½ \\ \" '"}),
    "yes": True,
    "text": "Paroisse de l'Île ✓ %s {} $1",
}


@pytest.fixture
def both(desk: Desk, rest_gateway: RestGateway) -> Iterator[tuple[Gateway, Gateway]]:
    """The direct gateway and the other, on a database that has some functions more."""
    desk.sql(EVERY_TYPE)
    yield desk.gateway, rest_gateway
    for name in NAMES:
        desk.sql(f"drop function registre.{name}")


def test_every_type_comes_back_as_the_direct_one_gives_it(both: tuple[Gateway, Gateway]) -> None:
    direct, rest = both
    for values in (VALUES, dict.fromkeys(VALUES), {**VALUES, "float": float("inf"), "words": [], "ids": []}):
        expected = direct.call("every_type", **values)
        found = rest.call("every_type", **values)
        assert found == expected
        assert [{k: type(v) for k, v in row.items()} for row in found] == [
            {k: type(v) for k, v in row.items()} for row in expected
        ]


def test_every_shape_of_answer_comes_as_rows(both: tuple[Gateway, Gateway]) -> None:
    direct, rest = both
    calls: tuple[tuple[str, dict[str, object]], ...] = (
        ("whole_row", {"r": "x"}),
        ("no_row", {}),
        ("r", {"r": 7}),
        ("nothing", {}),
        ("normalize_number", {"text": "2 784 195"}),
    )
    for function, arguments in calls:
        assert rest.call(function, **arguments) == direct.call(function, **arguments)


def test_no_answer_is_cut_off_at_postgrests_limit(both: tuple[Gateway, Gateway], supabase: StandIn) -> None:
    _, rest = both
    assert supabase.rest.max_rows == 1000
    assert [row["many"] for row in rest.call("many", count=2500)] == list(range(1, 2501))


def test_more_orders_than_that_come_back_with_their_ids(rest_gateway: RestGateway) -> None:
    rows = rest_gateway.call("submit_jobs", orders=Json([order_of(number) for number in range(1, 1202)]))
    assert len({row["id"] for row in rows}) == 1201


def test_a_refusal_carries_its_sentence_and_its_class(rest_gateway: RestGateway) -> None:
    with pytest.raises(NotFound, match="No job has this id"):
        rest_gateway.call("cancel_job", job=NOBODY, author="a test")
    with pytest.raises(LeaseLost):
        rest_gateway.call("release_job", job=NOBODY, token=1)


@pytest.mark.parametrize(
    "argument", ["no id", "a\x00b", "\ud800"], ids=["not of the type", "with a NUL", "with half a character"]
)
def test_a_value_no_column_takes_is_refused_in_a_sentence(rest_gateway: RestGateway, argument: str) -> None:
    with pytest.raises(Refused, match=r"^The database refuses what it was given: [^\n]+\.$"):
        rest_gateway.call("cancel_job", job=argument, author="a test")


def test_a_row_the_tables_rules_forbid_is_refused_in_a_sentence(rest_gateway: RestGateway) -> None:
    with pytest.raises(Refused, match="null value"):
        rest_gateway.call("submit_jobs", orders=Json([{"source": "index"}]))


@pytest.mark.parametrize("function", ["nobody_knows_it", "registre.fold", 'fold"; drop table registre.events; --'])
def test_a_function_there_is_not_is_another_version_of_the_schema(rest_gateway: RestGateway, function: str) -> None:
    for arguments in ({}, {"unknown": 1}):
        with pytest.raises(DatabaseUnavailable, match="functions are not those expected"):
            rest_gateway.call(function, **arguments)


def test_an_argument_there_is_not_is_never_left_out(rest_gateway: RestGateway) -> None:
    with pytest.raises(DatabaseUnavailable, match="functions are not those expected"):
        rest_gateway.call("normalize_number", text="1", more="2")


@pytest.mark.parametrize("fault", [500, 503, 520, "cut", "html"])
def test_an_api_that_fails_is_the_database_away_and_nothing_is_repeated(
    rest_gateway: RestGateway, supabase: StandIn, fault: int | str
) -> None:
    before = len(supabase.requests)
    supabase.faults.append(fault)
    with pytest.raises(DatabaseUnavailable) as caught:
        rest_gateway.call("count_jobs")
    assert "\n" not in caught.value.message
    assert len(supabase.requests) == before + 1
    assert rest_gateway.call("count_jobs") == []


def test_an_api_that_says_nothing_is_given_up_in_time(dsn: str, supabase: StandIn) -> None:
    del dsn
    supabase.faults.append("silent")
    with (
        connected(supabase.project, answer_seconds=0.1) as client,
        pytest.raises(DatabaseUnavailable, match="timed out"),
    ):
        RestGateway(client).call("count_jobs")


@pytest.mark.parametrize("key", ["sb_secret_unknown", EXPIRED_KEY], ids=["unknown", "expired"])
def test_a_key_that_is_refused_is_a_sentence_without_the_key(supabase: StandIn, key: str) -> None:
    with connected(supabase.with_key(key)) as client:
        gateway = RestGateway(client)
        for ask, kind in (
            (gateway.check, ConfigurationError),
            (lambda: gateway.call("count_jobs"), DatabaseUnavailable),
        ):
            with pytest.raises(kind, match="SUPABASE_SECRET_KEY") as caught:
                ask()
            assert key not in str(caught.value)


def test_a_project_that_is_not_there_is_unavailable(supabase: StandIn) -> None:
    with connected(Project("http://127.0.0.1:1", SECRET_KEY)) as client, pytest.raises(DatabaseUnavailable):
        RestGateway(client).check()
    del supabase


def _with_an_empty_database(empty_dsn: str, then: Callable[[StandIn, RestGateway], None]) -> None:
    with StandIn(empty_dsn) as stand_in, connected(stand_in.project) as client:
        then(stand_in, RestGateway(client))


def test_a_project_without_our_schema_says_what_to_run(empty_dsn: str) -> None:
    def look(stand_in: StandIn, gateway: RestGateway) -> None:
        del stand_in
        with pytest.raises(ConfigurationError, match="registre db plan"):
            gateway.check()
        with DirectGateway(empty_dsn) as direct:
            direct.execute_script(schema.plan())
        gateway.check()
        schema.require_current(gateway)
        assert schema.state_by_call(gateway).current

    _with_an_empty_database(empty_dsn, look)


def test_another_versions_schema_says_what_to_run(empty_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(stand_in: StandIn, gateway: RestGateway) -> None:
        del stand_in
        with DirectGateway(empty_dsn) as direct:
            schema.upgrade(direct)
        schema.require_current(gateway)
        script = schema._functions()
        monkeypatch.setattr(schema, "_functions", lambda: script + "\n-- a newer version")
        with pytest.raises(ConfigurationError, match="registre db plan"):
            schema.require_current(gateway)

    _with_an_empty_database(empty_dsn, look)


def test_who_listens_is_told_once_to_look(rest_gateway: RestGateway) -> None:
    heard: list[tuple[str, str]] = []
    both_rang = Event()

    def ring(channel: str, payload: str) -> None:
        heard.append((channel, payload))
        if len(heard) == 2:
            both_rang.set()

    stop = rest_gateway.listen(("registre_jobs", "registre_events"), ring)
    assert both_rang.wait(10)
    stop()
    assert heard == [("registre_jobs", ""), ("registre_events", "")]


def test_an_error_shows_neither_key_nor_address_of_the_client(rest_gateway: RestGateway, supabase: StandIn) -> None:
    supabase.faults.append("cut")
    with pytest.raises(RegistreError) as caught:
        rest_gateway.call("count_jobs")
    assert SECRET_KEY not in f"{caught.value} {caught.value!r} {caught.value.__context__!r}"
