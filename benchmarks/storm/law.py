"""What must hold after a storm: the law of crashes on money and files, no order without an end, every end said plainly.

Invariant: reads only; every breach is one sentence that names what it is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from benchmarks.crashes.books import Books
from benchmarks.crashes.law import Breach, Kind, judge_files, judge_money, judge_story
from benchmarks.storm.plan import Planned
from registre.document import Source, fold

_NO_CLERK_READS = re.compile(
    r"traceback|exception|\berror:|playwright|locator|net::|selector|\bnone\b|\bnull\b|[{}<>\[\]]|https?://|\w+\.\w+\(|\b[a-z]+[A-Z]\w*\.\w+"
)
"""What shows that a program speaks, and not a person."""
_SENTENCE = re.compile(r"\S.{9,}[.!?»)]")


def judge(books: Books, planned: Sequence[Planned]) -> list[Breach]:
    """Every breach, of a storm that is over: nothing is under way any more and a person has settled what was in doubt."""
    return [*judge_money(books), *judge_files(books), *judge_story(books), *_ends(books), *_wrong(books, planned)]


def _ends(books: Books) -> Iterator[Breach]:
    for job in books.jobs:
        name = f"{job['source']} {job['number']} of {job['client']}"
        if job["status"] in ("En attente", "En traitement"):
            yield Breach(Kind.STUCK, f"{name} stays '{job['status']}': {job['why']}")
        elif job["status"] == "Erreur" and not is_plain(job["error_message"]):
            yield Breach(
                Kind.OTHER,
                f"{name} ended in {job['error_kind']} with no sentence for a clerk: {job['error_message']!r}",
            )
    for attempt in books.attempts:
        if attempt["ended_at"] is None:
            yield Breach(Kind.STUCK, f"attempt {attempt['number']} of {attempt['job_id']} has no end")
    for purchase in books.purchases:
        if purchase["state"] in ("intended", "charged", "secured"):
            yield Breach(Kind.STUCK, f"purchase {purchase['id']} stays {purchase['state']}")


def is_plain(message: str | None) -> bool:
    """A whole sentence, and nothing in it that only a program says."""
    return message is not None and _SENTENCE.fullmatch(message) is not None and not _NO_CLERK_READS.search(message)


def _wrong(books: Books, planned: Sequence[Planned]) -> Iterator[Breach]:
    """Every document billed is one that somebody meant, in its own place and of its own type."""
    meant = set()
    for each in planned:
        request = each.order.request
        kind = fold(request.acte_type) if request.source is Source.ACTE else ""
        meant.add((request.source.value, request.number_normalized, fold(each.place), kind))
    for line in books.bill:
        if (line.source, line.number_normalized, fold(line.circonscription), fold(line.acte_type)) not in meant:
            yield Breach(
                Kind.WRONG,
                f"bought, though nobody meant it: {line.source} {line.number_normalized}, {line.circonscription}",
            )
