"""`registre accounts test · set-aside · restore`: what an operator asks of an account from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from registre.account import SignInOutcome
from registre.errors import InvalidInput, NotFound, Refused, Unavailable
from registre.wiring import Store
from tests.command import Run, in_this_process, said
from tests.waiting import until

NAME = "99T0001"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def run(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return in_this_process(monkeypatch, dsn, tmp_path)


@contextmanager
def answering(store: Store, outcome: SignInOutcome, message: str = "") -> Iterator[None]:
    """A worker that claims the account once it is to be tested, and says this of it."""

    def asked() -> bool:
        return any(account.test is not None and account.test.outcome is None for account in store.accounts.all())

    def work() -> None:
        until(asked, "nobody asked")
        [(seat, _)] = store.accounts.claim("host-a/1", 1, MINUTE)
        store.accounts.note_sign_in(seat, outcome, message, 2.25)

    worker = Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        worker.join()


@pytest.mark.parametrize(
    ("outcome", "message", "code", "words"),
    [
        (SignInOutcome.OK, "", 0, f"{NAME}: ok in 2.2 s"),
        (SignInOutcome.REFUSED, "Mot de passe refusé.", 1, f"{NAME}: refused in 2.2 s: Mot de passe refusé."),
        (SignInOutcome.UNREACHABLE, "503.", 75, f"{NAME}: unreachable in 2.2 s: 503."),
    ],
)
def test_a_sign_in_is_tested_by_a_worker_and_waited_for(
    run: Run, store: Store, outcome: SignInOutcome, message: str, code: int, words: str
) -> None:
    store.accounts.add(NAME, "made up")
    with answering(store, outcome, message):
        assert said(run("accounts", "test", NAME.lower()), code) == words
    assert f"{outcome} " in said(run("accounts", "list"))


def test_for_programs_the_answer_is_json(run: Run, store: Store) -> None:
    store.accounts.add(NAME, "made up")
    with answering(store, SignInOutcome.OK):
        told = json.loads(said(run("accounts", "test", NAME, "--json", "--author", "marie")))
    assert (told["outcome"], told["asked_by"], told["seconds"]) == ("ok", "marie", 2.25)


def test_without_a_worker_it_says_so_and_the_test_stays_asked_for(run: Run, store: Store) -> None:
    store.accounts.add(NAME, "made up")
    assert f"{NAME}: asked for" in said(run("accounts", "test", NAME, "--wait", "0"))
    waited = run("accounts", "test", NAME, "--wait", "1")
    assert isinstance(waited.exception, Unavailable)
    assert "asked for" in said(run("accounts", "list"))


def test_an_account_is_set_aside_is_not_tested_and_comes_back(run: Run, store: Store) -> None:
    store.accounts.add(NAME, "made up")
    assert isinstance(run("accounts", "set-aside", NAME).exception, InvalidInput), "without a reason"
    assert said(run("accounts", "set-aside", NAME, "--reason", "holidays")) == f"{NAME} is set aside."
    [account] = store.accounts.all()
    assert (account.state, account.reason) == ("set aside", "holidays")
    refused: list[Callable[[], object]] = [
        lambda: run("accounts", "set-aside", NAME, "--reason", "again").exception,
        lambda: run("accounts", "test", NAME).exception,
    ]
    assert [type(ask()) for ask in refused] == [Refused, Refused]
    assert said(run("accounts", "restore", NAME)) == f"{NAME} is in service again."
    assert isinstance(run("accounts", "restore", NAME).exception, Refused)


@pytest.mark.parametrize("verb", [("test",), ("set-aside", "--reason", "x"), ("restore",)])
def test_nobody_s_account_is_none(run: Run, verb: tuple[str, ...]) -> None:
    assert isinstance(run("accounts", *verb, "99X0000").exception, NotFound)
