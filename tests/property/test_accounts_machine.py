"""The accounts against a model: owners that claim, keep, give back, die and return; one live session each, everywhere.

The model is a dict of accounts; every claim, renewal and view must be what it says.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from registre.account import AccountId, Seat, SignInOutcome, WishKind
from registre.errors import NotFound, Refused
from registre.gates import Gate, Scope
from registre.job import Order
from tests.property.machines.ports import STORES, run, store_factory
from tests.property.machines.world import BACKOFF, HOST_GONE, LEGACY, VISIBILITY, PortMachine, likely, lot

HOSTS = ("host-a", "host-aa", "host-b")
NAMES = ("anne", "benoit", "chantal")


@dataclass(slots=True)
class Account:
    """What the model knows of one account."""

    id: AccountId
    password: str
    owner: str | None = None
    token: int = 0
    until: datetime | None = None
    is_aside: bool = False
    aside_until: datetime | None = None
    failures: int = 0
    is_asked: bool = False
    asked_of: int | None = None
    """The token under which its test is made."""
    last_used: datetime | None = None


class AccountsMachine(PortMachine):
    """Each rule is one call; an owner may be any boot that ever was, a seat any that was ever claimed."""

    hosts = {}  # noqa: RUF012 - no host has claimed anything before the first rule

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count()
        self.book: dict[str, Account] = {}
        self.claimed: list[tuple[str, Seat]] = []
        self.paused: set[str] = set()

    # -- what the model knows

    def is_aside(self, account: Account) -> bool:
        until = account.aside_until
        return account.is_aside and (until is None or until > self.clock.now)

    def is_leased(self, account: Account) -> bool:
        return account.until is not None and account.until > self.clock.now

    def is_live(self, owner: str, seat: Seat) -> bool:
        account = self.book[seat.username]
        return (account.owner, account.token) == (owner, seat.token) and self.is_leased(account)

    def wishes(self, owner: str) -> dict[AccountId, WishKind]:
        held = [account for account in self.book.values() if account.owner == owner and self.is_leased(account)]
        return {
            account.id: WishKind.LEAVE if self.is_aside(account) else WishKind.TEST
            for account in held
            if self.is_aside(account) or (account.is_asked and account.asked_of != account.token)
        }

    def states(self) -> dict[str, str]:
        return {
            name: "set aside" if self.is_aside(account) else "signed in" if self.is_leased(account) else "free"
            for name, account in self.book.items()
        }

    # -- accounts

    @initialize()
    def add_all(self) -> None:
        for name in NAMES[1:]:
            self.add(name, "sésame")

    @rule(name=st.sampled_from(NAMES), password=st.sampled_from(["sésame", "ouvre-toi"]))
    def add(self, name: str, password: str) -> None:
        account_id, is_new = self.store.accounts.add(name, password)
        assert is_new == (name not in self.book)
        account = self.book.setdefault(name, Account(account_id, password))
        assert account.id == account_id
        account.password, account.is_aside, account.aside_until, account.failures = password, False, None, 0
        if self.is_leased(account):
            account.is_asked, account.asked_of = True, None

    @precondition(lambda self: "free" in self.states().values())
    @rule(host=st.sampled_from(HOSTS), limit=st.sampled_from([1, 1, 3]))
    def claim(self, host: str, limit: int) -> None:
        owner, now = self.owner(host), self.clock.now
        free = [name for name, account in self.book.items() if self.states()[name] == "free"]
        asked = {name for name in free if self.book[name].is_asked}
        free.sort(
            key=lambda name: (name not in asked, self.book[name].last_used is not None, self.book[name].last_used, name)
        )
        claimed = self.store.accounts.claim(owner, limit, VISIBILITY)
        assert {seat.username for seat, _ in claimed} == set(free[:limit])
        for seat, credentials in sorted(claimed, key=lambda each: each[0].username):
            account = self.book[seat.username]
            assert (credentials.username, credentials.password) == (seat.username, account.password)
            assert account.password not in repr((seat, credentials))
            assert seat.account_id == credentials.account_id == account.id
            assert seat.token == account.token + 1
            account.owner, account.token, account.until = owner, seat.token, now + VISIBILITY
            account.asked_of = seat.token if account.is_asked else account.asked_of
            self.claimed.append((owner, seat))

    @precondition(lambda self: self.claimed)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        owner, _ = likely(data, self.live_seats(), self.claimed)
        seats = [seat for _, seat in self.claimed]
        kept = {seat.account_id for _, seat in self.claimed if self.is_live(owner, seat)}
        renewal = self.store.queue.renew(owner, [], seats, VISIBILITY)
        assert renewal.accounts == kept
        for account in self.book.values():
            if account.id in kept:
                account.until = self.clock.now + VISIBILITY

    @precondition(lambda self: self.claimed)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        _, seat = data.draw(st.sampled_from(self.claimed))
        account = self.book[seat.username]
        self.store.accounts.release(seat)
        if account.token == seat.token:
            account.owner = account.until = None

    @precondition(lambda self: self.claimed)
    @rule(data=st.data(), seconds=st.sampled_from([None, 30, 600]))
    def set_aside(self, data: st.DataObject, seconds: int | None) -> None:
        _, seat = data.draw(st.sampled_from(self.claimed))
        account = self.book[seat.username]
        duration = None if seconds is None else timedelta(seconds=seconds)
        self.store.accounts.set_aside(seat, "password refused", duration)
        if account.token == seat.token:
            account.owner = account.until = None
            account.is_aside, account.failures = True, account.failures + 1
            account.is_asked = account.is_asked and account.asked_of != seat.token
            account.aside_until = None if duration is None else self.clock.now + duration

    @rule(name=st.sampled_from(NAMES))
    def put_aside(self, name: str) -> None:
        """By a person: its lease goes on until its host lets it go."""
        account = self.book.get(name)
        if account is None:
            with pytest.raises(NotFound):
                self.store.accounts.put_aside(name, "holidays", "a test")
        elif account.is_aside and account.aside_until is None:
            with pytest.raises(Refused):
                self.store.accounts.put_aside(name, "holidays", "a test")
        else:
            self.store.accounts.put_aside(name, "holidays", "a test")
            account.is_aside, account.aside_until, account.is_asked = True, None, False

    @rule(name=st.sampled_from(NAMES))
    def restore(self, name: str) -> None:
        account = self.book.get(name)
        if account is None:
            return
        assert self.store.accounts.restore(name, "a test") == self.is_aside(account)
        if self.is_aside(account):
            account.is_aside, account.aside_until, account.failures = False, None, 0

    @rule(name=st.sampled_from(NAMES))
    def ask_test(self, name: str) -> None:
        account = self.book.get(name)
        if account is None or self.is_aside(account):
            with pytest.raises(NotFound if account is None else Refused):
                self.store.accounts.ask_test(name, "a test")
            return
        self.store.accounts.ask_test(name, "a test")
        if not account.is_asked:
            account.is_asked, account.asked_of = True, None

    @precondition(lambda self: self.claimed)
    @rule(data=st.data(), outcome=st.sampled_from(SignInOutcome))
    def note_sign_in(self, data: st.DataObject, outcome: SignInOutcome) -> None:
        """Answers a test only under the lease that came after it was asked for."""
        _, seat = data.draw(st.sampled_from(self.claimed))
        account = self.book[seat.username]
        answers = account.is_asked and account.asked_of == seat.token
        assert self.store.accounts.note_sign_in(seat, outcome, "so it went", 1.0) == answers
        account.is_asked = account.is_asked and not answers

    @rule(name=st.sampled_from(NAMES))
    def pause(self, name: str) -> None:
        if name not in self.book:
            with pytest.raises(NotFound):
                self.store.gates.pause(Scope.ACCOUNT, name, "a test", "holidays")
            return
        self.store.gates.pause(Scope.ACCOUNT, name, "a test", "holidays")
        self.paused.add(name)

    @precondition(lambda self: self.paused)
    @rule(name=st.sampled_from(NAMES))
    def resume(self, name: str) -> None:
        assert self.store.gates.resume(Scope.ACCOUNT, name, "a test") == (name in self.paused)
        self.paused.discard(name)

    # -- owners and time

    @precondition(lambda self: "signed in" in self.states().values())
    @rule(host=st.sampled_from(HOSTS))
    def start(self, host: str) -> None:
        """The host's earlier boots are dead, and so are their leases; another host's are not."""
        self.boots[host] += 1
        owner = self.owner(host)
        self.store.fleet.register_host(host, owner.split("/")[1], "1.0")
        for account in self.book.values():
            former = account.owner is not None and account.owner.split("/")[0] == host and account.owner != owner
            if former and self.is_leased(account):
                account.until = self.clock.now
        for job_id, until in self.until.items():
            lease = self.latest[job_id]
            if until is not None and until > self.clock.now and lease.owner.split("/")[0] == host:
                self.until[job_id] = self.clock.now

    @rule(seconds=st.sampled_from([1.0, 30.0, 60.0, 601.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.pass_time(seconds)

    # -- work

    def live_seats(self) -> list[tuple[str, Seat]]:
        return [(owner, seat) for owner, seat in self.claimed if self.is_live(owner, seat)]

    @precondition(lambda self: self.live_seats())
    @rule(data=st.data())
    def work_and_leave(self, data: st.DataObject) -> None:
        """So that the next claim finds an account more rested than this one."""
        self.lease_jobs(data)
        self.what_must_always_be_true()
        for _, seat in self.live_seats():
            self.store.accounts.release(seat)
            self.book[seat.username].owner = self.book[seat.username].until = None
        self.clock.pass_time(1)

    @precondition(lambda self: self.claimed)
    @rule(data=st.data())
    def lease_jobs(self, data: st.DataObject) -> None:
        """Never without a live lease of the account, never two at once, never while it is paused."""
        owner, _ = likely(data, self.live_seats(), self.claimed)
        self.submit([Order(lot(next(self.numbers))) for _ in NAMES])
        self.read()
        busy = {
            self.latest[job_id].account_id
            for job_id, until in self.until.items()
            if until is not None and until > self.clock.now
        }
        seats = {seat.account_id: seat for _, seat in self.claimed if self.is_live(owner, seat)}
        usable = {
            key
            for key, seat in seats.items()
            if key not in busy and seat.username not in self.paused and not self.is_aside(self.book[seat.username])
        }
        self.seats[owner] = [seat for claimant, seat in self.claimed if claimant == owner]
        leases = self.lease(owner)
        assert {lease.account_id for lease in leases} == usable
        for lease in leases:
            self.book[seats[lease.account_id].username].last_used = self.clock.now

    def free_seats(self, owner: str) -> int:
        return len({seat.account_id for _, seat in self.claimed if self.is_live(owner, seat)})

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        live = [lease for lease in self.given if self.holds(lease)]
        self.arrows.add("release_job")
        if live:
            self.store.queue.release(data.draw(st.sampled_from(live)), "drained")

    @rule()
    def reclaim(self) -> None:
        self.arrows.add("reclaim")
        self.store.queue.reclaim(BACKOFF, HOST_GONE, LEGACY)

    # -- what must always be true of accounts

    def what_is_true_here(self) -> None:
        seen = {account.username: account for account in self.store.accounts.all()}
        assert {name: account.state for name, account in seen.items()} == self.states()
        for owner in {account.owner for account in self.book.values() if account.owner is not None}:
            assert {wish.account_id: wish.kind for wish in self.store.accounts.wishes(owner)} == self.wishes(owner)
        for name, account in self.book.items():
            assert (seen[name].failure_count, seen[name].last_used) == (account.failures, account.last_used)
            if self.is_leased(account):
                assert seen[name].lease_owner == account.owner
        closed = {c.name for c in self.store.gates.closures() if (c.gate, c.scope) == (Gate.PAUSE, Scope.ACCOUNT)}
        assert closed == self.paused
        live = Counter(
            self.latest[job_id].account_id
            for job_id, until in self.until.items()
            if until is not None and until > self.clock.now
        )
        assert max(live.values(), default=1) == 1


@pytest.mark.parametrize("kind", STORES)
def test_the_accounts_do_what_the_model_says(kind: str, request: pytest.FixtureRequest) -> None:
    run(AccountsMachine, kind, store_factory(kind, request))
