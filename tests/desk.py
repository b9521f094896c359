"""The queue and the ledger as a test drives them: the SQL functions by name, under a clock the test sets.

Invariant: after every call that moves something, each job's row is the fold of its events, what is used of every budget is the
sum of its purchases, and the counts are those of the rows; of rows that another program has meddled with, no story is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from registre.account import AccountId, Seat
from registre.database.gateway import DirectGateway, Gateway, Json
from tests.invariants import BOOKS, COUNTED, FOLD

HOST, BOOT = "host-a", "boot-1"
OWNER = f"{HOST}/{BOOT}"
VISIBILITY = 60.0
BACKOFF, HOST_GONE, LEGACY = 10.0, 600.0, 1800.0
FEE = 150
SHA = "a" * 64


@dataclass(frozen=True, slots=True)
class Held:
    """A lease as its owner knows it."""

    id: str
    token: int
    account: str
    attempt: int


End = Callable[["Desk", Held], None]
"""One of the ways an owner ends its lease."""


class Desk:
    """One database, one clock."""

    def __init__(self, gateway: Gateway, dsn: str) -> None:
        self.gateway = gateway
        self.now = datetime.now(UTC)
        self.meddled: list[str] = []
        self.connection: psycopg.Connection[dict[str, Any]] = psycopg.connect(
            dsn, autocommit=True, row_factory=dict_row
        )

    @property
    def direct(self) -> DirectGateway:
        """For what only a connection can do."""
        assert isinstance(self.gateway, DirectGateway)
        return self.gateway

    def close(self) -> None:
        self.connection.close()

    # -- time and plain SQL

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def sql(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """What another program might do, behind everybody's back."""
        cursor = self.connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def move(self, function: str, /, **arguments: Any) -> list[dict[str, Any]]:
        rows = self.gateway.call(function, now=self.now, **arguments)
        self.check_story()
        return rows

    def meddle(self, job: str, assignments: str, *values: Any) -> None:
        """Another program writes over a row; its events no longer tell what it holds."""
        self.sql(f"update extraction_queue set {assignments} where id = %s", *values, job)  # noqa: S608 - words of a test
        self.meddled.append(job)

    def check_story(self) -> None:
        assert self.sql(FOLD, self.meddled) == [], "a job's row is not what its events say"
        assert self.sql(BOOKS) == [], "what is used of a budget is not the sum of its purchases"
        assert self.sql(COUNTED) == [], "the counts are not those of the rows"

    # -- orders and accounts

    def order(
        self, *numbers: object, client: str = "", priority: int = 0, max_attempts: int = 3, **more: object
    ) -> list[str]:
        orders = [
            order_of(number, client=client, priority=priority, max_attempts=max_attempts, **more) for number in numbers
        ]
        return [str(row["id"]) for row in self.gateway.call("submit_jobs", orders=Json(orders), now=self.now)]

    def batch(self, *numbers: object, cap: int | None = None, client: str = "") -> tuple[str, list[str]]:
        """The batch's id, and its jobs in their order."""
        orders = Json([order_of(number, client=client) for number in numbers])
        [row] = self.move("submit_batch", name="lot", client=client, author="marie", cap_cents=cap, orders=orders)
        batch = str(row["submit_batch"])
        jobs = self.sql("select id::text from extraction_queue where batch_id = %s order by position", batch)
        return batch, [job["id"] for job in jobs]

    def seats(self, count: int, owner: str = OWNER) -> list[Seat]:
        """So many accounts of their own, leased to `owner` for ten days."""
        ten_days = 864_000.0
        have = len(self.gateway.call("list_accounts"))
        for number in range(have, have + count):
            self.gateway.call("add_account", username=f"account-{number:03}", password="secret")
        rows = self.gateway.call("claim_accounts", owner=owner, limit=count, visibility_seconds=ten_days, now=self.now)
        assert len(rows) == count
        return [
            Seat(AccountId(r["id"]), r["token"], r["username"], f"{owner.split('/')[0]}/{r['username']}") for r in rows
        ]

    def lease(self, seats: Sequence[Seat], owner: str = OWNER, visibility: float = VISIBILITY) -> list[Held]:
        rows = self.move(
            "lease_next",
            owner=owner,
            seats=Json([{"account": s.account_id, "token": s.token, "worker": s.worker} for s in seats]),
            visibility_seconds=visibility,
        )
        return [Held(str(r["id"]), r["token"], r["account_id"], r["attempt"]) for r in rows]

    def leased(self, *, max_attempts: int = 3, number: object = 2784195) -> Held:
        """A new order in the hands of a new account."""
        [job] = self.order(number, max_attempts=max_attempts)
        [held] = self.lease(self.seats(1))
        assert held.id == job, "another order was waiting before this one"
        return held

    def two_of_one_document(self) -> list[Held]:
        """Two leases of one document, as two hosts take them at the same instant; here, because one order is corrected late."""
        _, corrected = self.order(2784195, 2784196)
        held = self.lease(self.seats(2))
        self.sql("update extraction_queue set document_number = '2 784 195' where id = %s", corrected)
        return held

    def bought(self, number: object = 2784195, seats: Sequence[Seat] = (), **order: Any) -> str:
        """The purchase of a new order that was delivered."""
        [job] = self.order(number, **order)
        [held] = self.lease(seats or self.seats(1))
        assert held.id == job, "another order was waiting before this one"
        purchase = self.intend(held)
        self.secure(purchase)
        assert self.deliver(purchase, key=f"{number}.pdf") == "completed"
        return purchase

    def ambiguous(self) -> tuple[Held, str]:
        """A new order whose document was billed and is not here."""
        held = self.leased()
        purchase = self.intend(held)
        self.charge(purchase, held)
        self.mark_ambiguous(purchase, held)
        assert self.state(held.id) == ("Erreur", "ambiguous_purchase")
        return held, purchase

    # -- ends of a lease

    def release(self, held: Held) -> None:
        self.move("release_job", job=held.id, token=held.token, message="drained")

    def snooze(self, held: Held, *, delay: float = 60, rescued: bool = False) -> None:
        self.move(
            "snooze_job", job=held.id, token=held.token, delay_seconds=delay, message="site away", rescued=rescued
        )

    def retry(self, held: Held, *, delay: float = 10) -> None:
        self.move("retry_job", job=held.id, token=held.token, kind="bad_document", message="no", delay_seconds=delay)

    def fail(self, held: Held) -> None:
        self.move(
            "fail_job", job=held.id, token=held.token, kind="not_found", message="Aucun résultat", needs_review=False
        )

    def renew(self, held: Sequence[Held], seats: Sequence[Seat] = (), owner: str = OWNER) -> list[dict[str, Any]]:
        return self.move(
            "renew",
            owner=owner,
            jobs=Json([{"id": h.id, "token": h.token} for h in held]),
            accounts=Json([{"id": s.account_id, "token": s.token} for s in seats]),
            visibility_seconds=VISIBILITY,
        )

    def reclaim(self, *, backoff: float = BACKOFF, limit: int = 100) -> list[tuple[str, str]]:
        rows = self.move(
            "reclaim",
            backoff_seconds=backoff,
            host_gone_seconds=HOST_GONE,
            legacy_seconds=LEGACY,
            limit=limit,
        )
        return [(str(r["id"]), r["outcome"]) for r in rows]

    def register(self, host: str = HOST, boot: str = BOOT) -> None:
        self.move("register_host", host=host, boot=boot, version="0")

    # -- money

    def intend(self, held: Held, host: str = HOST) -> str:
        """The purchase's id, or the verdict when none was opened."""
        [row] = self.move("intend", job=held.id, token=held.token, host=host)
        return str(row["purchase_id"]) if row["verdict"] == "granted" else str(row["verdict"])

    def void(self, purchase: str, held: Held) -> None:
        self.move("void_purchase", purchase=purchase, token=held.token, reason="not found")

    def charge(self, purchase: str, held: Held, *notes: str) -> None:
        self.move("charge_purchase", purchase=purchase, token=held.token, notes=Json(list(notes)))

    def secure(self, purchase: str, sha256: str = SHA) -> str:
        [row] = self.move("secure_purchase", purchase=purchase, sha256=sha256, size_bytes=1000, pages=2)
        return str(row["secure_purchase"])

    def mark_ambiguous(self, purchase: str, held: Held) -> None:
        self.move("mark_ambiguous", purchase=purchase, token=held.token, reason="the browser broke")

    def lose(self, purchase: str) -> None:
        self.move("lose_purchase", purchase=purchase, reason="the disk is damaged")

    def deliver(self, purchase: str, sha256: str = SHA, key: str = "2784195.pdf") -> str:
        [row] = self.move("deliver", purchase=purchase, sha256=sha256, bucket="index", object_key=key)
        return str(row["deliver"])

    # -- a person

    def cancel(self, job: str) -> str:
        [row] = self.move("cancel_job", job=job, author="a test")
        return str(row["cancel_job"])

    def settle(self, job: str, decision: str, *, billed: bool = True) -> None:
        self.move("settle", job=job, decision=decision, author="a test", billed=billed)

    def requeue(self, job: str) -> None:
        self.move("requeue_job", job=job, author="a test")

    def rule(self, name: str, value: float | None) -> None:
        self.move("set_rule", name=name, value=value, author="a test")

    def budget(self, scope: str, name: str, period: str, cap: int | None) -> None:
        self.move("set_budget", scope=scope, name=name, period=period, cap_cents=cap, author="a test")

    def hours(self, *windows: tuple[int, str, str]) -> None:
        """Weekday (1 is Monday), opening and closing."""
        rows = [{"weekday": day, "opens": opens, "closes": closes} for day, opens, closes in windows]
        self.move("set_hours", hours=Json(rows), author="a test")

    def pause(self, scope: str, name: str = "", reason: str = "audit") -> None:
        self.move("pause", scope=scope, name=name, author="marie", reason=reason)

    def resume(self, scope: str, name: str = "") -> bool:
        return bool(self.move("resume", scope=scope, name=name, author="marie")[0]["resume"])

    # -- what is there

    def job(self, job: str) -> dict[str, Any]:
        [row] = self.sql("select * from extraction_queue where id = %s", job)
        return row

    def state(self, job: str) -> tuple[str, str | None]:
        row = self.job(job)
        return row["status"], row["error_kind"]

    def attempts(self, job: str) -> list[tuple[int, str | None]]:
        rows = self.sql("select number, ending from registre.attempts where job_id = %s order by token", job)
        return [(row["number"], row["ending"]) for row in rows]

    def purchase(self, purchase: str) -> dict[str, Any]:
        [row] = self.sql("select * from registre.purchases where id = %s", purchase)
        return row

    def used(self, scope: str, name: str, period: str) -> int:
        """Cents used of a budget in the period that runs now."""
        [row] = self.sql(
            "select coalesce(sum(used_cents), 0) as used from registre.spending where scope = %s and name = %s and period = %s "
            "and starts_on = registre.period_start(period, registre.today(%s))",
            scope,
            name,
            period,
            self.now,
        )
        return int(row["used"])

    def closures(self) -> list[tuple[str, str, str]]:
        """Gate, scope and name of each, in their order."""
        return [(r["gate"], r["scope"], r["name"]) for r in self.gateway.call("closures", now=self.now)]

    def why(self, job: str | None = None) -> str:
        return str(self.gateway.call("why", job=job, now=self.now)[0]["why"])


def order_of(number: object, **more: object) -> dict[str, object]:
    """An order as submit_jobs takes it."""
    return {
        "source": "index",
        "number": str(number),
        "circonscription": "Montréal",
        "cadastre": "Cadastre du Québec",
        "designation": "",
        "acte_type": "",
        **{name: value.isoformat() if isinstance(value, datetime) else value for name, value in more.items()},
    }


def toronto(year: int, month: int, day: int, hour: int = 0, minute: int = 0, *, fold: int = 0) -> datetime:
    """The instant at which clocks there say so; `fold` 1 is the second time in November's repeated hour."""
    return datetime(year, month, day, hour, minute, fold=fold, tzinfo=ZoneInfo("America/Toronto")).astimezone(UTC)
