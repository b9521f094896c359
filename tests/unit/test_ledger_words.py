"""The words of the ledger and of the queue are the same in Python and in SQL."""

from __future__ import annotations

import re
from importlib import resources

from registre.errors import ErrorKind
from registre.gates import Gate, Scope
from registre.job import ARROWS, Status
from registre.ledger import PurchaseState, Verdict


def sql(folder: str) -> str:
    files = (resources.files("registre.database") / folder).iterdir()
    return "\n".join(f.read_text("utf-8") for f in sorted(files, key=lambda f: f.name) if f.name.endswith(".sql"))


def test_the_states_of_a_purchase_are_those_the_table_accepts() -> None:
    accepted = re.search(r"state text not null check \(state in \(([^)]*)\)\)", sql("migrations"))
    assert accepted is not None
    assert set(re.findall(r"'(\w+)'", accepted[1])) == set(PurchaseState)


def test_an_intent_answers_with_a_verdict() -> None:
    answered = set(re.findall(r"return query select '(\w+)', (?:null::uuid|v_purchase\.id),", sql("sql")))
    assert answered == set(Verdict)


def test_a_closure_names_a_gate_of_a_known_scope() -> None:
    closed = set(re.findall(r"select '(\w+)', '(\w+)', ", sql("sql")))
    assert closed == {
        (Gate.HOURS, Scope.SITE),
        (Gate.BREAKER, Scope.SITE),
        (Gate.FROZEN, Scope.SOURCE),
        (Gate.APPROVAL, Scope.BATCH),
    }, "pauses and budgets take their scope from their rows"


def test_sql_writes_only_statuses_of_the_contract() -> None:
    written = set(re.findall(r"status = '([^']+)'", sql("sql")))
    assert written <= set(Status)
    assert len(written) >= 3


def test_reasons_given_by_sql_are_known_reasons() -> None:
    given = set(re.findall(r"close_job\([^;]*?'Erreur', '(\w+)'", sql("sql")))
    assert given == {
        ErrorKind.AMBIGUOUS_PURCHASE,
        ErrorKind.ATTEMPTS_EXHAUSTED,
        ErrorKind.CANCELLED,
        ErrorKind.DEADLINE_PASSED,
        ErrorKind.SECURED_ELSEWHERE,
    }


def test_every_arrow_starts_and_ends_somewhere_and_none_stays() -> None:
    for function, moves in ARROWS.items():
        assert moves, function
        for before, after in moves:
            assert before is not after, function
    assert Status.DONE not in {before for moves in ARROWS.values() for before, _ in moves}, "what is delivered stays so"
