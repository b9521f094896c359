"""Passwords and webhooks' secrets at rest: sealed when there is a key, read when there is none, replaced one at a time. Over both
stores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from registre.account import StoredSecret
from registre.database.gateway import Gateway
from registre.errors import ConfigurationError
from registre.secrecy import encrypt, rotate, standing
from registre.vault import Vault, is_sealed, make_key
from registre.webhooks import NewWebhook
from registre.wiring import Store, make_store
from tests.desk import Desk
from tests.memory.bucket import MemoryBucket
from tests.memory.store import MemoryStore

MINUTE = timedelta(minutes=1)
ONE, TWO = make_key(), make_key()
PLAIN, FIRST, SECOND, BOTH = Vault(), Vault([ONE]), Vault([TWO]), Vault([TWO, ONE])
AnyStore = Store | MemoryStore
Open = Callable[[Vault], AnyStore]
"""The same rows, seen by a host that has these keys."""


@pytest.fixture(params=["postgres", "memory"])
def opened(request: pytest.FixtureRequest) -> Open:
    if request.param == "postgres":
        gateway: Gateway = request.getfixturevalue("gateway")
        return lambda vault: make_store(gateway, MemoryBucket(), vault)
    first = MemoryStore()

    def opened(vault: Vault) -> AnyStore:
        other = MemoryStore(vault=vault)
        for port in (other.accounts, other.secrets, other.webhooks):
            port._state = first.state
        return other

    return opened


def passwords(store: AnyStore, owner: str = "host-a/1") -> dict[str, str]:
    """Of all accounts this host can claim; they are given back."""
    claimed = store.accounts.claim(owner, 10, MINUTE)
    for seat, _ in claimed:
        store.accounts.release(seat)
    return {credentials.username: credentials.password for _, credentials in claimed}


def kept(store: AnyStore) -> list[str]:
    return [secret.plain or secret.sealed or "" for secret in store.secrets.all()]


def test_with_a_key_a_password_is_stored_sealed_and_claimed_open(opened: Open) -> None:
    store = opened(FIRST)
    store.accounts.add("marie", "sésame")
    assert passwords(store) == {"marie": "sésame"}
    [secret] = store.secrets.all()
    assert (secret.kind, secret.name, secret.plain) == ("account", "account marie", None)
    assert secret.sealed is not None
    assert "sésame" not in secret.sealed
    [account] = store.accounts.all()
    assert account.sealed_with == FIRST.key_ids[0]
    assert "sésame" not in f"{secret!r} {account!r}"


def test_without_a_key_it_is_stored_as_before(opened: Open) -> None:
    store = opened(PLAIN)
    store.accounts.add("marie", "sésame")
    assert passwords(store) == {"marie": "sésame"}
    assert kept(store) == ["sésame"]
    assert store.accounts.all()[0].sealed_with is None
    with pytest.raises(ConfigurationError, match="REGISTRE_SECRET_KEY"):
        encrypt(store.secrets, PLAIN)


def test_a_host_without_the_key_leaves_the_account_to_those_that_have_it(opened: Open) -> None:
    opened(FIRST).accounts.add("marie", "sésame")
    opened(PLAIN).accounts.add("jean", "plain")
    assert passwords(opened(PLAIN)) == {"jean": "plain"}
    assert passwords(opened(SECOND)) == {"jean": "plain"}
    assert passwords(opened(FIRST)) == {"jean": "plain", "marie": "sésame"}
    assert {account.state for account in opened(PLAIN).accounts.all()} == {"free"}, "and nothing is set aside for it"


def test_what_is_plain_is_sealed_by_one_command_and_reported_before(opened: Open) -> None:
    store = opened(PLAIN)
    store.accounts.add("marie", "sésame")
    store.webhooks.add(NewWebhook("crm", "https://example.org/hook"), "whsec_c2VjcmV0", "a test")
    store = opened(FIRST)
    assert standing(store.secrets, FIRST).plain == 2
    assert encrypt(store.secrets, FIRST).done == 2
    assert all(is_sealed(text) for text in kept(store))
    assert standing(store.secrets, FIRST) == standing(store.secrets, FIRST).__class__(sealed=2)
    assert passwords(store) == {"marie": "sésame"}
    assert encrypt(store.secrets, FIRST).done == 0, "and once is enough"


def test_rotation_goes_host_by_host_and_nobody_is_without_a_password(opened: Open) -> None:
    opened(FIRST).accounts.add("marie", "sésame")
    assert passwords(opened(BOTH)) == {"marie": "sésame"}
    assert standing(opened(BOTH).secrets, BOTH).former == 1
    assert rotate(opened(BOTH).secrets, BOTH).done == 1
    assert passwords(opened(SECOND)) == {"marie": "sésame"}
    assert passwords(opened(FIRST)) == {}
    assert rotate(opened(BOTH).secrets, BOTH).done == 0


def test_what_cannot_be_opened_is_named_and_left_as_it_is(opened: Open) -> None:
    opened(FIRST).accounts.add("marie", "sésame")
    assert standing(opened(SECOND).secrets, SECOND).unreadable == ("account marie",)
    outcome = rotate(opened(SECOND).secrets, SECOND)
    assert (outcome.done, list(outcome.kept)) == (0, ["account marie"])
    assert passwords(opened(FIRST)) == {"marie": "sésame"}


def test_a_password_given_meanwhile_is_not_replaced(opened: Open) -> None:
    store = opened(PLAIN)
    store.accounts.add("marie", "old")
    [read] = store.secrets.all()
    store.accounts.add("marie", "new")
    assert not store.secrets.replace(read, FIRST.seal("old"))
    assert passwords(store) == {"marie": "new"}
    assert not store.secrets.replace(StoredSecret("webhook", read.id, "", "x", None), FIRST.seal("x"))


def test_a_new_password_leaves_nothing_of_the_former(opened: Open) -> None:
    opened(PLAIN).accounts.add("marie", "plain")
    opened(FIRST).accounts.add("marie", "sealed")
    assert [is_sealed(text) for text in kept(opened(FIRST))] == [True]
    opened(PLAIN).accounts.add("marie", "plain again")
    assert kept(opened(PLAIN)) == ["plain again"]
    assert passwords(opened(FIRST)) == {"marie": "plain again"}


def test_a_webhooks_secret_is_sealed_and_opened_for_who_sends(opened: Open) -> None:
    store = opened(FIRST)
    hook = store.webhooks.add(NewWebhook("crm", "https://example.org/hook"), "whsec_c2VjcmV0", "a test")
    assert [is_sealed(text) for text in kept(store)] == [True]
    notice = store.webhooks.claim(store.webhooks.test(hook), 60)
    assert notice is not None
    assert notice.secret == "whsec_c2VjcmV0"
    later = store.webhooks.test(hook)
    assert opened(PLAIN).webhooks.claim(later, 60) is None
    [said] = [each for each in store.webhooks.notices(hook) if each.id == later]
    assert "REGISTRE_SECRET_KEY" in (said.error or "")
    assert said.state == "waiting", "another host may have the key"


# -- what other programs do to the rows

WRITTEN_LATER = "update worker_accounts set password = 'typed elsewhere' where username = 'marie'"
DAMAGED = "update worker_accounts set password_sealed = left(password_sealed, -20) where username = 'marie'"


def test_a_plain_password_that_another_program_writes_is_the_newer_one(desk: Desk) -> None:
    store = make_store(desk.gateway, MemoryBucket(), FIRST)
    store.accounts.add("marie", "sésame")
    desk.sql(WRITTEN_LATER)
    assert passwords(store) == {"marie": "typed elsewhere"}
    assert encrypt(store.secrets, FIRST).done == 1
    assert passwords(store) == {"marie": "typed elsewhere"}
    assert desk.sql("select password from worker_accounts") == [{"password": ""}]


def test_a_damaged_one_sets_its_account_aside_and_no_other(desk: Desk) -> None:
    store = make_store(desk.gateway, MemoryBucket(), FIRST)
    store.accounts.add("marie", "sésame")
    store.accounts.add("jean", "sésame")
    desk.sql(DAMAGED)
    assert passwords(store) == {"jean": "sésame"}
    reasons = {account.username: account.reason for account in store.accounts.all()}
    assert reasons["jean"] is None
    assert "damaged" in str(reasons["marie"])
    store.accounts.add("marie", "given anew")
    assert passwords(store)["marie"] == "given anew"


def test_no_event_holds_a_secret(desk: Desk) -> None:
    store = make_store(desk.gateway, MemoryBucket(), FIRST)
    store.accounts.add("marie", "sésame")
    encrypt(store.secrets, FIRST)
    told = str(desk.sql("select kind, data from registre.events"))
    assert "sésame" not in told
    assert "sealed:" not in told
