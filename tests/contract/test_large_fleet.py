"""What a call costs does not depend on how large the fleet is: beside a thousand accounts at work it reads as many rows as
beside five.
"""

from __future__ import annotations

from psycopg.types.json import Jsonb

from tests.desk import HOST, OWNER, SHA, Desk

READ = """
    select relname as name, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as rows
    from pg_stat_xact_user_tables where schemaname in ('public', 'registre')"""


class Counted:
    """Calls, each with the rows it reads in all tables, by the server's own count."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.rows: dict[str, int] = {}

    def __call__(self, function: str, **arguments: object) -> list[dict[str, object]]:
        named = ", ".join(f"p_{name} => %({name})s" for name in arguments)
        with self._desk.connection.transaction():
            before = self._read()
            text = f"select * from registre.{function}({named})".encode()  # noqa: S608 - words of a test
            answer = self._desk.connection.execute(text, arguments).fetchall()
            self.rows[function] = self._read() - before
        return answer

    def _read(self) -> int:
        return sum(int(row["rows"]) for row in self._desk.sql(READ))


def at_work(desk: Desk, accounts: int) -> None:
    """So many accounts of another host, each with an order, and as many orders that wait."""
    other = "host-z/boot-1"
    desk.sql(
        "insert into worker_accounts (username, password) "
        "select %s || '-' || n, 'made up' from generate_series(1, %s) n",
        accounts,
        accounts,
    )
    first = 1_000_000 + 10_000 * accounts
    desk.order(*range(first, first + 2 * accounts))
    ten_days = 864_000.0
    held = desk.gateway.call("claim_accounts", owner=other, limit=accounts, visibility_seconds=ten_days, now=desk.now)
    seats = Jsonb([{"account": row["id"], "token": row["token"], "worker": row["username"]} for row in held])
    taken = desk.move("lease_next", owner=other, seats=seats, visibility_seconds=ten_days)
    assert len(taken) == accounts
    desk.sql("analyze")


def an_order_from_its_lease_to_its_bucket(desk: Desk) -> dict[str, int]:
    """Rows read by each call that an order needs, and by the renewal."""
    desk.register()
    [seat] = desk.seats(1)
    call = Counted(desk)
    seats = Jsonb([{"account": seat.account_id, "token": seat.token, "worker": seat.worker}])
    [job] = call("lease_next", owner=OWNER, seats=seats, visibility_seconds=60.0, now=desk.now)
    its = {"job": job["id"], "token": job["token"], "now": desk.now}
    call("note_step", step="the form", **its)
    jobs = Jsonb([{"id": str(job["id"]), "token": job["token"]}])
    accounts = Jsonb([{"id": seat.account_id, "token": seat.token}])
    renewed = call("renew", owner=OWNER, jobs=jobs, accounts=accounts, visibility_seconds=60.0, now=desk.now)
    assert len(renewed) == 2
    call("account_wishes", owner=OWNER, now=desk.now)
    [intent] = call("intend", host=HOST, **its)
    purchase = intent["purchase_id"]
    call("charge_purchase", purchase=purchase, token=job["token"], now=desk.now)
    call("secure_purchase", purchase=purchase, sha256=SHA, size_bytes=1000, pages=2, now=desk.now)
    call("deliver", purchase=purchase, sha256=SHA, bucket="index", object_key="a.pdf", now=desk.now)
    assert desk.state(str(job["id"])) == ("Complété", None)
    call("report_worker", worker=seat.worker, status="idle", account=seat.account_id, job=None, now=desk.now)
    call("release_account", account=seat.account_id, token=seat.token)
    return call.rows


def test_no_call_of_an_order_reads_more_rows_in_a_large_fleet(desk: Desk) -> None:
    at_work(desk, 5)
    small = an_order_from_its_lease_to_its_bucket(desk)
    at_work(desk, 1000)
    large = an_order_from_its_lease_to_its_bucket(desk)
    # A plan for five rows may as well read all five.
    assert {name: rows for name, rows in large.items() if rows > small[name] + 20} == {}, small
