"""The law: what must hold after any kill, read from the ledger, the registry's own bill, the bucket, the spool and the events.

Invariant: reads only; every breach is one sentence that names what it is about.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from benchmarks.crashes.books import Books, Rows


class Kind(StrEnum):
    """What a breach is counted under."""

    TWICE = "billed twice"
    STUCK = "stuck"
    LOST = "lost"
    WRONG = "bought wrong"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Breach:
    kind: Kind
    sentence: str


def judge(books: Books) -> list[Breach]:
    """Every breach, of a run in which nothing is under way any more."""
    return [*judge_money(books), *_stuck(books), *judge_files(books), *judge_story(books), *_gates(books)]


FATES = {
    "after_intent": ("ambiguous", 0),
    "at_viewer": ("ambiguous", 1),
    "after_charge": ("ambiguous", 1),
    "after_download": ("delivered", 1),
    "after_rename": ("delivered", 1),
    "after_secure": ("delivered", 1),
    "during_upload": ("delivered", 1),
    "after_upload": ("delivered", 1),
    "before_ack": ("delivered", 1),
    "during_ack": ("delivered", 1),
    "before_cleanup": ("delivered", 1),
}
"""Point → what becomes of the purchase it was about, and how often the registry billed it. The others may go either way."""


def judge_deaths(books: Books, deaths: Sequence[tuple[str, str]], *, decided: bool) -> Iterator[Breach]:
    """What each point promises about the purchase or the number it was about. Once a person has decided, the bill may hold
    what was bought before."""
    numbers = {job["id"]: job["number"] for job in books.jobs}
    for point, about in deaths:
        for purchase in books.purchases:
            number = numbers[purchase["job_id"]]
            if point not in FATES or purchase["state"] == "void" or about not in (purchase["id"], number):
                continue
            state, times = FATES[point]
            billed = books.billed(purchase["identity_key"])
            if purchase["state"] != state or (billed != times and not decided):
                yield Breach(Kind.OTHER, f"{point}: {number} is {purchase['state']}, billed {billed} times")


def judge_money(books: Books) -> Iterator[Breach]:
    """The registry's bill, our ledger, the costs of orders and the budgets say the same."""
    identity = {(job["source"], job["number"]): job["identity_key"] for job in books.jobs}
    billed = Counter(identity.get((line.source, line.number_normalized), "nothing ordered") for line in books.bill)
    purchases: defaultdict[str, Rows] = defaultdict(list)
    for purchase in books.purchases:
        purchases[purchase["identity_key"]].append(purchase)
    for key in {*billed, *purchases}:
        lines, named = purchases[key], next((f"{s} {n}" for (s, n), k in identity.items() if k == key), key)
        delivered = sum(p["state"] == "delivered" for p in lines)
        ambiguous = sum(p["state"] == "ambiguous" for p in lines)
        sure = delivered + sum(
            p["state"] == "ambiguous" and (p["charged_at"] or p["settled_at"]) is not None for p in lines
        )
        decided = sum(p["settled_at"] is not None for p in lines)
        if billed[key] > 1 + decided:
            yield Breach(Kind.TWICE, f"{named} was billed {billed[key]} times")
        if not sure <= billed[key] <= delivered + ambiguous:
            yield Breach(
                Kind.OTHER,
                f"{named} was billed {billed[key]} times; {delivered} delivered, {ambiguous} ambiguous, {sure} known as billed",
            )
    for job in books.jobs:
        mine = [p for p in books.purchases if p["job_id"] == job["id"] and p["state"] != "void" and p["charged_at"]]
        if job["cost_cents"] != (cost := sum(p["fee_cents"] for p in mine)):
            yield Breach(Kind.OTHER, f"{_name(job)} costs {job['cost_cents']}, its purchases {cost}")
    used, reserved = (
        {(r["scope"], r["name"], r["period"], r["starts_on"]): r["used_cents"] for r in rows}
        for rows in (books.spending, books.reserved)
    )
    for budget in used.keys() | reserved.keys():
        if used.get(budget) != reserved.get(budget):
            yield Breach(
                Kind.OTHER, f"of the budget {budget} {used.get(budget)} is used, {reserved.get(budget)} reserved"
            )


def _stuck(books: Books) -> Iterator[Breach]:
    for job in books.jobs:
        if job["status"] == "En traitement":
            yield Breach(Kind.STUCK, f"{_name(job)} stays 'En traitement'")
        elif job["status"] == "En attente" and not waits_rightly(books, job):
            yield Breach(Kind.STUCK, f"{_name(job)} waits for nothing: {job['wait_reason']}")
        elif job["status"] == "Erreur" and job["error_kind"] not in ("ambiguous_purchase", "not_found", "abandoned"):
            yield Breach(Kind.STUCK, f"{_name(job)} ended in {job['error_kind']}: {job['error_message']}")
    for attempt in books.attempts:
        if attempt["ended_at"] is None:
            yield Breach(Kind.STUCK, f"attempt {attempt['number']} of {attempt['job_id']} has no end")
    for purchase in books.purchases:
        if purchase["state"] in ("intended", "charged"):
            yield Breach(Kind.STUCK, f"purchase {purchase['id']} stays {purchase['state']}")


def waits_rightly(books: Books, job: dict[str, Any]) -> bool:
    """Only a person can let it go on: its document may be bought already, or its budget is used up."""
    if any(
        p["identity_key"] == job["identity_key"]
        and p["job_id"] != job["id"]
        and p["state"] == "ambiguous"
        and p["settled_at"] is None
        for p in books.purchases
    ):
        return True
    return any(
        p["client"] == job["client"] and p["state"] != "void" and "budget" in job["why"] for p in books.purchases
    )


def judge_files(books: Books) -> Iterator[Breach]:
    """What was secured is in its bucket, whole, and the spool keeps nothing else."""
    expected = {}
    for purchase in books.purchases:
        if purchase["secured_at"] and purchase["state"] != "delivered":
            yield Breach(
                Kind.LOST, f"purchase {purchase['id']} was secured and is {purchase['state']}: {purchase['reason']}"
            )
        if purchase["state"] == "delivered":
            expected[Path(purchase["bucket"], purchase["object_key"])] = purchase["sha256"]
    found = {file.relative_to(books.buckets): file for file in books.buckets.rglob("*") if file.is_file()}
    for path, sha256 in expected.items():
        if path not in found or hashlib.sha256(found[path].read_bytes()).hexdigest() != sha256:
            yield Breach(Kind.LOST, f"the bucket does not hold {path} as the ledger has it")
    for path in found.keys() - expected.keys():
        yield Breach(Kind.OTHER, f"the bucket holds {path}, which the ledger does not know")
    for job in books.jobs:
        if job["status"] == "Complété" and job["path"] not in {str(path) for path in expected}:
            yield Breach(Kind.LOST, f"{_name(job)} is done with {job['path']}, which was not delivered")
    ambiguous = {p["id"] for p in books.purchases if p["state"] in ("ambiguous", "void")}
    for part, may_stay in (("ready", set[str]()), ("incoming", ambiguous), ("held", ambiguous), ("done", set[str]())):
        for entry in (books.spool / part).iterdir():
            if entry.name not in may_stay:
                yield Breach(Kind.LOST, f"the spool still has {part}/{entry.name}")


def judge_story(books: Books) -> Iterator[Breach]:
    """Each order's row is the fold of its events."""
    keys = ("status", "attempts", "error_kind", "path", "cost_cents")
    for job in books.jobs:
        told: dict[str, Any] = {}
        for event in books.events:
            if event["job_id"] == job["id"]:
                told |= {key: event["data"][key] for key in keys if key in event["data"]}
        if told != (row := {key: job[key] for key in keys}):
            yield Breach(Kind.OTHER, f"{_name(job)} is {row}, its events say {told}")


def _gates(books: Books) -> Iterator[Breach]:
    """A kill is nobody else's fault: it closes no gate and sets no account aside."""
    for gate in books.gates:
        yield Breach(Kind.OTHER, f"{gate['gate']}: {gate['reason']}")
    for account in books.accounts:
        if account["set_aside_reason"]:
            yield Breach(Kind.OTHER, f"account {account['username']} is set aside: {account['set_aside_reason']}")


def _name(job: dict[str, Any]) -> str:
    return f"{job['source']} {job['number']} of {job['client']}"
