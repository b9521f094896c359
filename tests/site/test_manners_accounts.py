"""Bad manners of the login: each is the account's error, told once, and no password is typed a second time.

site.md 2: the refused login, the lock, the identity question, the notice after a login, the proof of login · 6: two sessions
of one account · 10: all workers on one account, an idle session that died.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from registre.errors import AccountError, ErrorKind, SessionExpired
from tests.site.visit import ACCOUNTS, INDEX, Visit


@pytest.mark.parametrize(
    ("orders", "kind", "words"),
    [
        pytest.param({"refuse_login": 1}, ErrorKind.LOGIN_REFUSED, "mot de passe est invalide", id="refused"),
        pytest.param({"lock_after": 0}, ErrorKind.ACCOUNT_LOCKED, "compte est verrouillé", id="locked"),
        pytest.param(
            {"identity_question": 1}, ErrorKind.IDENTITY_QUESTION, "votre question d’identification", id="question"
        ),
    ],
)
def test_a_login_that_is_not_let_in_is_the_accounts_error_and_is_tried_once(
    orders: dict[str, object], kind: ErrorKind, words: str, visit: Visit, tmp_path: Path
) -> None:
    session = visit.open(1)
    before = attempts(visit, 1)
    visit.twin.faults.update(orders)
    error = visit.refusal(session.sign_in)
    assert isinstance(error, AccountError)
    assert error.kind is kind
    assert words in error.said
    assert error.said in str(error)
    assert ACCOUNTS[1][1] not in repr(error)
    assert attempts(visit, 1) == before + 1
    visit.twin.faults.clear()
    visit.proves_sound(tmp_path, account=1)


def test_three_refused_passwords_lock_the_account_even_for_the_right_one(visit: Visit, tmp_path: Path) -> None:
    visit.twin.faults.set("lock_after", {"value": 3, "account": ACCOUNTS[2][0]})
    kinds = []
    for password in ("wrong", "wrong", "wrong", None):
        error = visit.refusal(visit.open(2, password=password).sign_in)
        assert isinstance(error, AccountError)
        kinds.append(error.kind)
    assert kinds == [ErrorKind.LOGIN_REFUSED] * 2 + [ErrorKind.ACCOUNT_LOCKED] * 2
    visit.proves_sound(tmp_path, account=0)
    visit.twin.faults.clear()
    visit.proves_sound(tmp_path, account=2)


def test_a_notice_after_the_login_is_passed_by(visit: Visit, tmp_path: Path) -> None:
    before = attempts(visit, 0)
    visit.twin.faults.set("notice", 1)
    session = visit.open()
    session.sign_in()
    visit.obtain(session, INDEX, tmp_path / "index.pdf")
    assert attempts(visit, 0) == before + 1


def test_a_second_login_of_the_account_ends_the_first_session(visit: Visit, tmp_path: Path) -> None:
    first = visit.signed_in()
    first.fill(INDEX)
    second = visit.open()
    second.sign_in()
    before = len(visit.bill)
    with pytest.raises(SessionExpired):
        first.submit(INDEX)
    assert len(visit.bill) == before
    visit.obtain(second, INDEX, tmp_path / "index.pdf")


def test_a_session_idle_for_too_long_is_expired_and_a_fresh_one_works(visit: Visit, tmp_path: Path) -> None:
    session = visit.signed_in()
    (gone,) = [s for s in visit.twin.twin.sessions._by_account.values() if s.account == ACCOUNTS[0][0]]
    gone.seen_at = gone.seen_at.replace(year=gone.seen_at.year - 1)
    with pytest.raises(SessionExpired):
        session.fill(INDEX)
    visit.proves_sound(tmp_path)


def attempts(visit: Visit, account: int) -> int:
    """How often this account's password was typed, rightly or wrongly."""
    traffic, username = visit.twin.twin.traffic, ACCOUNTS[account][0]
    return traffic.logins[username] + traffic.logins_refused[username]
