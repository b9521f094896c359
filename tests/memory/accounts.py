"""The ports `AccountBook` and `Fleet` in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from registre.account import (
    AccountId,
    AccountView,
    Credentials,
    Seat,
    SignInOutcome,
    SignInTest,
    Wish,
    WishKind,
)
from registre.errors import ConfigurationError, NotFound, Refused
from registre.job import HostFacts, JobId, Status
from registre.vault import Vault, key_of
from tests.memory.state import JOBS_CHANNEL, OPEN, AccountRow, HostRow, JobRow, State


class MemoryAccounts:
    """Implements `registre.ports.AccountBook`. Thread-safe."""

    def __init__(self, state: State, vault: Vault | None = None) -> None:
        self._state = state
        self._vault = vault or Vault()

    def add(self, username: str, password: str, author: str | None = None) -> tuple[AccountId, bool]:
        state = self._state
        with state.transaction() as now:
            account = next((row for row in state.accounts.values() if row.username == username), None)
            is_new = account is None
            if account is None:
                account = AccountRow(AccountId(state.new_id()), username, password)
                state.accounts[account.id] = account
            # A new secret for a known account also lifts what its old secret had caused.
            account.sealed = self._vault.seal(password) if self._vault.can_seal else None
            account.password, account.is_active, account.failure_count = "" if account.sealed else password, True, 0
            account.set_aside_reason = account.set_aside_until = None
            if account.is_leased(now):  # whoever holds it knows the old one
                account.test, account.test_token = SignInTest(now, author or "whoever gave the password"), None
            if not is_new:
                state.ring(JOBS_CHANNEL, "account")
            state.tell("account.added", None, now, username=username, **({"author": author} if author else {}))
            state.ring(JOBS_CHANNEL)
            return account.id, is_new

    def all(self) -> list[AccountView]:
        with self._state.transaction() as now:
            return [
                AccountView(
                    row.id,
                    row.username,
                    "inactive" if not row.is_active
                    else "set aside" if row.is_set_aside(now)
                    else "signed in" if row.is_leased(now)
                    else "free",
                    row.set_aside_reason,
                    row.set_aside_until,
                    row.owner,
                    row.last_used,
                    row.failure_count,
                    None if row.password or row.sealed is None else key_of(row.sealed),
                    row.test,
                )
                for row in sorted(self._state.accounts.values(), key=lambda row: row.username)
            ]  # fmt: skip

    def claim(self, owner: str, limit: int, visibility: timedelta) -> list[tuple[Seat, Credentials]]:
        with self._state.transaction() as now:
            host, _, boot = owner.partition("/")
            if host in self._state.hosts and self._state.hosts[host].boot != boot:
                raise Refused(f"Another worker was started under the name {host}.")
            free = [
                row
                for row in self._state.accounts.values()
                if row.is_active
                and not row.is_set_aside(now)
                and not row.is_leased(now)
                and (row.password or row.sealed is None or key_of(row.sealed) in self._vault.key_ids)
            ]
            # Those to be tested, then those never used.
            free.sort(key=lambda row: (not row.awaits_test, row.last_used is not None, row.last_used, row.username))
            for row in free[:limit]:
                row.owner, row.token, row.until = owner, row.token + 1, now + visibility
                if row.test is not None and row.awaits_test:
                    row.test, row.test_token = replace(row.test, began_at=now), row.token
            return [
                (
                    Seat(row.id, row.token, row.username, f"{host}/{row.username}"),
                    Credentials(row.id, row.username, row.password or self._vault.open(row.sealed or "")),
                )
                for row in free[:limit]
            ]

    def release(self, seat: Seat) -> None:
        with self._state.transaction():
            row = self._under(seat)
            if row is not None:
                row.owner = row.until = None

    def set_aside(self, seat: Seat, reason: str, duration: timedelta | None) -> None:
        with self._state.transaction() as now:
            row = self._under(seat)
            if row is not None:
                row.set_aside_reason, row.failure_count = reason, row.failure_count + 1
                row.set_aside_until = None if duration is None else now + duration
                row.owner = row.until = None
                self._end_test(row, seat.token, now, SignInOutcome.REFUSED, reason, None)
                self._state.tell("account.set_aside", None, now, username=row.username, reason=reason)

    def put_aside(self, username: str, reason: str, author: str) -> None:
        with self._state.transaction() as now:
            row = self._named(username)
            if row.set_aside_reason is not None and row.set_aside_until is None:
                raise Refused("This account is set aside already.")
            row.set_aside_reason, row.set_aside_until = reason, None
            if row.test is not None and row.awaits_test:
                why = "The account was set aside before it was tested."
                row.test = replace(row.test, ended_at=now, outcome=SignInOutcome.UNREACHABLE, message=why)
            self._state.tell("account.set_aside", None, now, username=username, reason=reason, author=author)
            self._state.ring(JOBS_CHANNEL, "account")

    def ask_test(self, username: str, author: str) -> None:
        with self._state.transaction() as now:
            row = self._named(username)
            if not row.is_active:
                raise Refused("This account is inactive; nobody signs it in.")
            if row.is_set_aside(now):
                raise Refused(
                    "This account is set aside, so that nobody signs it in; give it a new password or restore it."
                )
            if row.awaits_test:
                return
            row.test, row.test_token = SignInTest(now, author), None
            self._state.tell("account.test_asked", None, now, username=username, author=author)
            self._state.ring(JOBS_CHANNEL, "account")

    def wishes(self, owner: str) -> list[Wish]:
        with self._state.transaction() as now:
            held = [row for row in self._state.accounts.values() if row.owner == owner and row.is_leased(now)]
            return [
                Wish(row.id, row.token, WishKind.LEAVE if row.is_set_aside(now) else WishKind.TEST)
                for row in sorted(held, key=lambda row: row.username)
                if row.is_set_aside(now) or (row.awaits_test and row.test_token != row.token)
            ]

    def note_sign_in(self, seat: Seat, outcome: SignInOutcome, message: str, seconds: float) -> bool:
        with self._state.transaction() as now:
            row = self._state.accounts.get(seat.account_id)
            return row is not None and self._end_test(row, seat.token, now, outcome, message or None, seconds)

    def restore(self, username: str, author: str) -> bool:
        with self._state.transaction() as now:
            row = self._named(username)
            if not row.is_set_aside(now):
                return False
            row.set_aside_reason, row.set_aside_until, row.failure_count = None, None, 0
            self._state.tell("account.restored", None, now, username=username, author=author)
            self._state.ring(JOBS_CHANNEL)
            return True

    def _end_test(
        self,
        row: AccountRow,
        token: int,
        now: datetime,
        outcome: SignInOutcome,
        message: str | None,
        seconds: float | None,
    ) -> bool:
        if row.test is None or not row.awaits_test or row.test_token != token:
            return False
        row.test = replace(row.test, ended_at=now, outcome=outcome, message=message, seconds=seconds)
        told = {"message": message, "seconds": None if seconds is None else round(seconds, 1)}
        known = {name: value for name, value in told.items() if value is not None}
        self._state.tell("account.tested", None, now, username=row.username, outcome=str(outcome), **known)
        return True

    def _named(self, username: str) -> AccountRow:
        row = next((row for row in self._state.accounts.values() if row.username == username), None)
        if row is None:
            raise NotFound("No account has this name.")
        return row

    def _under(self, seat: Seat) -> AccountRow | None:
        """A token that is no longer the account's changes nothing."""
        row = self._state.accounts.get(seat.account_id)
        return row if row is not None and row.token == seat.token else None


class MemoryFleet:
    """Implements `registre.ports.Fleet`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def register_host(
        self, host: str, boot: str, version: str, home: str | None = None, visibility: timedelta = timedelta(minutes=1)
    ) -> None:
        state = self._state
        with state.transaction() as now:
            for name, row in state.hosts.items():
                others = home is not None and row.home is not None and row.is_alive(now)
                if others and (name == host) != (row.home == home):
                    raise ConfigurationError(f"{name} is at work.")
            former = {name for name, row in state.hosts.items() if home is not None and row.home == home}
            known = state.hosts.get(host)
            if known is not None and None not in (known.home, home) and known.home != home:
                self._set_apart(host, known)
            else:
                former.add(host)
            for purchase in state.purchases.values():
                if purchase.host in former and purchase.state in OPEN:
                    purchase.host = host
            for name in former - {host}:
                state.hosts.pop(name, None)
            held: list[AccountRow | JobRow] = [*state.accounts.values()]
            held += [job for job in state.jobs.values() if job.status == Status.RUNNING]
            for lease in held:
                if lease.owner is not None and lease.owner.split("/")[0] in former and lease.owner != f"{host}/{boot}":
                    lease.until = min(lease.until, now) if lease.until is not None else None
            for worker in [name for name in state.workers if name.split("/")[0] in former | {host}]:
                del state.workers[worker]
            if state.upkeep is not None and state.upkeep[0].split("/")[0] in former | {host}:
                state.upkeep = None
            state.hosts[host] = HostRow(boot, version, now, now, home, now + visibility)
            state.tell("host.started", None, now, host=host, version=version)

    def _set_apart(self, host: str, row: HostRow) -> None:
        """What the spool of another home holds, which had this name, is kept under a name of its own."""
        apart = f"{host}~{(row.home or '')[:8]}"
        for purchase in self._state.purchases.values():
            if purchase.host == host and purchase.state in OPEN:
                purchase.host = apart
                self._state.hosts[apart] = row

    def leave(self, owner: str) -> None:
        state = self._state
        with state.transaction() as now:
            host, _, boot = owner.partition("/")
            if state.upkeep is not None and state.upkeep[0] == owner:
                state.upkeep = None
            row = state.hosts.get(host)
            if row is not None and row.boot == boot:
                row.seen_at, row.stopped = now, True
                state.tell("host.stopped", None, now, host=host)

    def note_facts(self, owner: str, facts: HostFacts) -> None:
        with self._state.transaction():
            host, _, boot = owner.partition("/")
            if host in self._state.hosts and self._state.hosts[host].boot == boot:
                self._state.hosts[host].facts = facts

    def take_upkeep(self, owner: str, duration: timedelta) -> bool:
        state = self._state
        with state.transaction() as now:
            if state.upkeep is not None and state.upkeep[0] != owner and state.upkeep[1] > now:
                host, _, boot = state.upkeep[0].partition("/")
                row = state.hosts.get(host)
                if row is not None and row.boot == boot and row.is_alive(now):
                    return False
            state.upkeep = (owner, now + duration)
            return True

    def forget_history(self) -> int:
        state = self._state
        with state.transaction() as now:
            if state.rules.history_days is None:
                return 0
            until = now - timedelta(days=state.rules.history_days)
            old = {job.id for job in state.jobs.values() if job.finished_at is not None and job.finished_at < until}
            told = {event.job_id for event in state.events if event.job_id in old}
            state.events = [e for e in state.events if e.job_id not in old and (e.job_id is not None or e.at >= until)]
            state.attempts = {key: row for key, row in state.attempts.items() if row.job_id not in old}
            state.log = [line for line in state.log if line.job_id not in old]
            return len(told)

    def report_worker(self, worker: str, status: str, account_id: AccountId | None, job_id: JobId | None) -> None:
        with self._state.transaction() as now:
            self._state.workers[worker] = (status, account_id, job_id, now)
