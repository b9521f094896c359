"""What an address of a database tells of the way there."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from registre.database.address import Route, read_address


@pytest.mark.parametrize(
    ("address", "route"),
    [
        ("postgresql://postgres:p@db.abcdef.supabase.co:5432/postgres", Route.DIRECT),
        ("postgresql://postgres.abcdef:p@aws-0-ca-central-1.pooler.supabase.com:5432/postgres", Route.SESSION_POOLER),
        (
            "postgresql://postgres.abcdef:p@aws-0-ca-central-1.pooler.supabase.com:6543/postgres",
            Route.TRANSACTION_POOLER,
        ),
        ("postgres://me@db.example/registre?sslmode=require&pgbouncer=true", Route.TRANSACTION_POOLER),
        ("postgres://me@db.example/registre?pgbouncer=false", Route.DIRECT),
        ("host=127.0.0.1 port=6543 user=me dbname=registre", Route.TRANSACTION_POOLER),
        ("host=127.0.0.1 user=me dbname=registre", Route.DIRECT),
        ("postgresql:///registre?host=/run/postgresql&port=6543", Route.TRANSACTION_POOLER),
    ],
)
def test_the_route_shows_in_the_address(address: str, route: Route) -> None:
    assert read_address(address)[1] is route


def test_words_of_other_libraries_are_left_out_and_all_else_stays() -> None:
    address = (
        "postgresql://me:p%40ss%2Fw%3F@db.example:6543/re%20gistre?pgbouncer=true&connection_limit=1"
        "&options=-c%20search_path%3Dx&application_name=a+b"
    )
    read, _ = read_address(address)
    assert conninfo_to_dict(read) == {
        "user": "me", "password": "p@ss/w?", "host": "db.example", "port": "6543", "dbname": "re gistre",
        "options": "-c search_path=x", "application_name": "a b",
    }  # fmt: skip


@pytest.mark.parametrize("address", ["", "no address", "postgresql://[::1", "postgresql://db?no_such_option=1", "=x"])
def test_what_is_no_address_stays_for_the_driver_to_refuse(address: str) -> None:
    assert read_address(address) == (address, Route.DIRECT)
