"""What a run has to show when it is judged: rows, events, the registry's own bill, bucket and spool.

Invariant: reads only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from registre.twin.ledger import LedgerLine

Rows = list[dict[str, Any]]
Read = Callable[[LiteralString], Rows]

JOBS: LiteralString = """
    select q.id::text, q.status::text, q.document_source::text as source, q.document_number_normalized as number, q.client,
        q.identity_key, q.attemtps as attempts, q.error_kind, q.error_message, q.supabase_path as path, q.cost_cents,
        q.wait_reason, registre.why(q.id) as why, q.lease_owner, q.lease_token, q.lease_until::text, q.purchase_id::text,
        q.rescues
    from extraction_queue q order by q.created_at, q.id"""
PURCHASES: LiteralString = """
    select p.id::text, p.job_id::text, p.identity_key, p.state, p.fee_cents, p.client, p.sha256, p.bucket, p.object_key, p.reason,
        p.intended_at::text, p.charged_at::text, p.secured_at::text, p.settled_at::text, p.settlement, a.username as account
    from registre.purchases p left join worker_accounts a on a.id::text = p.account_id order by p.intended_at, p.id"""
EVENTS: LiteralString = "select e.job_id::text, e.at::text, e.kind, e.data from registre.events e order by e.id"
ATTEMPTS: LiteralString = """
    select t.job_id::text, t.number, t.owner, t.ending, t.ended_at::text, t.message from registre.attempts t order by t.id"""
SPENDING: LiteralString = """
    select s.scope, s.name, s.period, s.starts_on::text, s.used_cents
    from registre.spending s where s.used_cents <> 0 order by 1, 2, 3, 4"""
RESERVED: LiteralString = """
    select s.scope, s.name, s.period, s.starts_on::text, sum(p.fee_cents)::bigint as used_cents
    from registre.purchases p
    left join worker_accounts a on a.id::text = p.account_id
    cross join lateral registre.spends(p, coalesce(a.username, p.account_id)) s
    where p.state <> 'void' group by 1, 2, 3, 4 order by 1, 2, 3, 4"""
ACCOUNTS: LiteralString = "select username, lease_owner, set_aside_reason from worker_accounts order by 1"
GATES: LiteralString = """
    select 'breaker' as gate, reason from registre.breaker
    union all select 'frozen', source || ': ' || reason from registre.frozen"""


@dataclass(frozen=True, slots=True)
class Books:
    """`spending` is what the budgets say is used, `reserved` the same summed up from the purchases."""

    jobs: Rows
    purchases: Rows
    events: Rows
    attempts: Rows
    spending: Rows
    reserved: Rows
    accounts: Rows
    gates: Rows
    bill: list[LedgerLine]
    buckets: Path
    spool: Path

    @property
    def delivered(self) -> int:
        return sum(purchase["state"] == "delivered" for purchase in self.purchases)

    @property
    def ambiguous(self) -> int:
        return sum(purchase["state"] == "ambiguous" for purchase in self.purchases)

    def billed(self, identity: str) -> int:
        """How often the registry billed a document."""
        known = {(job["source"], job["number"]) for job in self.jobs if job["identity_key"] == identity}
        return sum((line.source, line.number_normalized) in known for line in self.bill)


def open_books(read: Read, bill: list[LedgerLine], buckets: Path, spool: Path) -> Books:
    return Books(
        jobs=read(JOBS),
        purchases=read(PURCHASES),
        events=read(EVENTS),
        attempts=read(ATTEMPTS),
        spending=read(SPENDING),
        reserved=read(RESERVED),
        accounts=read(ACCOUNTS),
        gates=read(GATES),
        bill=bill,
        buckets=buckets,
        spool=spool,
    )
