"""A registry that does what a test tells it to: the ports `Registry` and `RegistrySession`, without a browser.

Invariant: it keeps its own bill, and notes every use of a session the ports forbid, so that a test cannot overlook one.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from threading import Condition, Event

from fpdf import FPDF

from registre.account import Credentials
from registre.document import DocumentRequest, normalize_number
from registre.errors import Aborted, BrowserFailed, DataError, SessionExpired, SiteError
from registre.idleness import IdleEnd
from registre.ports import FilledForm, Step, ViewerReached
from tests.waiting import SECONDS


class Point(StrEnum):
    """Where a test can stop, break or count: before each call does its work, and VIEWER: billed, not yet answered."""

    OPEN = "open"
    SIGN_IN = "sign_in"
    FILL = "fill"
    SUBMIT = "submit"
    VIEWER = "viewer"
    SAVE = "save"
    KEEP_ALIVE = "keep_alive"
    SIGN_OUT = "sign_out"


@dataclass(frozen=True, slots=True)
class Call:
    """One arrival at a point; `number` is '' before a form is filled."""

    point: Point
    account: str
    number: str


@dataclass(frozen=True, slots=True)
class Billed:
    """One line of the fake's own bill."""

    account: str
    source: str
    number: str


@dataclass(slots=True)
class Rule:
    """What happens at `point`, to the account and number named ('' for any), for as many `times` as are left."""

    point: Point
    account: str
    number: str
    error: Exception | None
    times: float
    holds: bool = False
    released: Event = field(default_factory=Event)
    reached: list[Call] = field(default_factory=list)

    def meets(self, call: Call) -> bool:
        return (
            self.times > 0
            and self.point == call.point
            and self.account in ("", call.account)
            and self.number in ("", call.number)
        )


class Hold:
    """Calls stopped at a point until `release`; an interrupted call leaves with Aborted."""

    def __init__(self, rule: Rule, changed: Condition) -> None:
        self._rule = rule
        self._changed = changed

    def wait(self, calls: int = 1, seconds: float = SECONDS) -> list[Call]:
        """The calls that are, or were, stopped here, as soon as there are that many."""
        with self._changed:
            reached = self._changed.wait_for(lambda: len(self._rule.reached) >= calls, seconds)
            assert reached, f"{len(self._rule.reached)} of {calls} calls came to {self._rule.point}"
            return list(self._rule.reached)

    def release(self) -> None:
        with self._changed:
            self._rule.times = 0
            self._rule.released.set()
            self._changed.notify_all()


class FakeRegistry:
    """Implements `registre.ports.Registry`. Delivers whatever is asked for, except where a rule says otherwise."""

    def __init__(self, bill: Path | None = None) -> None:
        """With `bill`, each billed document is also a line of that file, on the disk before the viewer is answered."""
        self._file = bill
        self._changed = Condition()
        self._rules: list[Rule] = []
        self._calls: list[Call] = []
        self._bill: list[Billed] = []
        self._live: dict[str, FakeSession] = {}
        self.violations: list[str] = []
        self.idle_limit = timedelta(minutes=20)
        self._ahead = 0.0

    # -- what a test says ---------------------------------------------------------------------------------------------

    def fail(
        self, point: Point, error: Exception, *, number: str = "", account: str = "", times: float = float("inf")
    ) -> None:
        """Raise `error` at the point."""
        self._add(Rule(point, account, normalize_number(number), error, times))

    def hold(self, point: Point, *, number: str = "", account: str = "", error: Exception | None = None) -> Hold:
        """Stop calls at the point until they are released; then raise `error`, if any."""
        rule = self._add(Rule(point, account, normalize_number(number), error, float("inf"), holds=True))
        return Hold(rule, self._changed)

    def pass_time(self, seconds: float) -> None:
        """For every session's idle clock."""
        self._ahead += seconds

    def seconds(self) -> float:
        return time.monotonic() + self._ahead

    def _add(self, rule: Rule) -> Rule:
        with self._changed:
            self._rules.append(rule)
        return rule

    # -- what a test asks ---------------------------------------------------------------------------------------------

    def calls(self, point: Point, *, account: str = "", number: str = "") -> int:
        wanted = normalize_number(number)
        with self._changed:
            return sum(
                call.point == point and account in ("", call.account) and wanted in ("", call.number)
                for call in self._calls
            )

    @property
    def bill(self) -> list[Billed]:
        with self._changed:
            return list(self._bill)

    @property
    def live_accounts(self) -> list[str]:
        """Accounts with a session that was opened and not closed."""
        with self._changed:
            return sorted(self._live)

    # -- the port -----------------------------------------------------------------------------------------------------

    @property
    def assumed_idle_limit(self) -> timedelta:
        return self.idle_limit

    def open_session(self, credentials: Credentials, on_step: Callable[[Step], None]) -> FakeSession:
        session = FakeSession(self, credentials, on_step)
        self.at(Point.OPEN, session, "")
        with self._changed:
            if credentials.username in self._live:
                self.violations.append(f"two sessions of {credentials.username} at once")
            self._live[credentials.username] = session
        return session

    def close(self) -> None:
        with self._changed:
            sessions = list(self._live.values())
        for session in sessions:
            session.close()

    # -- what the sessions use ----------------------------------------------------------------------------------------

    def at(self, point: Point, session: FakeSession, number: str) -> None:
        """Note the call, then do what the first rule that meets it says."""
        call = Call(point, session.account, number)
        with self._changed:
            self._calls.append(call)
            rule = next((rule for rule in self._rules if rule.meets(call)), None)
            if rule is None:
                return
            rule.times -= 1
            rule.reached.append(call)
            self._changed.notify_all()
            if rule.holds:
                self._changed.wait_for(lambda: rule.released.is_set() or session.interrupted or session.closed)
                session.check()
            if rule.error is not None:
                raise rule.error

    def charge(self, session: FakeSession, request: DocumentRequest) -> None:
        line = Billed(session.account, str(request.source), request.number_normalized)
        with self._changed:
            if self._file is not None:
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(line)) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
            self._bill.append(line)

    def wake(self, session: FakeSession, *, interrupt: bool = False, close: bool = False) -> None:
        with self._changed:
            session.interrupted = session.interrupted or interrupt
            session.closed = session.closed or close
            if close and self._live.get(session.account) is session:
                del self._live[session.account]
            self._changed.notify_all()


class FakeSession:
    """Implements `registre.ports.RegistrySession`."""

    def __init__(self, registry: FakeRegistry, credentials: Credentials, on_step: Callable[[Step], None]) -> None:
        self.account = credentials.username
        self.interrupted = False
        self.closed = False
        self._registry = registry
        self._on_step = on_step
        self._busy = False
        self._signed_in = False
        self._filled: DocumentRequest | None = None
        self._open: DocumentRequest | None = None
        self._answered_at = registry.seconds()
        self._idle_end: IdleEnd | None = None

    @property
    def idle_seconds(self) -> float:
        return self._registry.seconds() - self._answered_at

    def idle_end(self) -> IdleEnd | None:
        end, self._idle_end = self._idle_end, None
        return end

    def keep_alive(self) -> None:
        with self._one_call("keep_alive"), self._ending_idleness():
            if not self._signed_in:
                self._registry.violations.append(f"{self.account} is kept alive without having signed in")
            self._registry.at(Point.KEEP_ALIVE, self, "")

    def sign_out(self) -> bool:
        if self.interrupted or self.closed:
            return False
        try:
            with self._one_call("sign_out"), self._ending_idleness():
                self._registry.at(Point.SIGN_OUT, self, "")
        except (SiteError, Aborted):
            return False
        self._signed_in = False
        return True

    @contextmanager
    def _ending_idleness(self) -> Iterator[None]:
        idle = self.idle_seconds
        try:
            yield
        except (SessionExpired, DataError) as error:
            self._idle_end = self._idle_end or IdleEnd(idle, isinstance(error, DataError))
            raise
        finally:
            self._answered_at = self._registry.seconds()
        self._idle_end = self._idle_end or IdleEnd(idle, survived=True)

    def sign_in(self) -> None:
        with self._one_call("sign_in"):
            self._on_step(Step.SIGNING_IN)
            self._registry.at(Point.SIGN_IN, self, "")
            self._signed_in = True
            self._answered_at = self._registry.seconds()

    def fill(self, request: DocumentRequest) -> FilledForm:
        with self._one_call("fill"), self._ending_idleness():
            self._on_step(Step.FORM)
            self._filled = self._open = None
            if not self._signed_in:
                self._registry.violations.append(f"{self.account} fills a form without having signed in")
            self._registry.at(Point.FILL, self, request.number_normalized)
            self._filled = request
            return FilledForm(request.number_normalized, None, None, None, None)

    def submit(self, request: DocumentRequest) -> ViewerReached:
        with self._one_call("submit"):
            if self._filled != request:
                self._registry.violations.append(f"{self.account} submits {request.number}, which was not filled")
            self._filled = None
            self._registry.at(Point.SUBMIT, self, request.number_normalized)
            self._registry.charge(self, request)
            self._registry.at(Point.VIEWER, self, request.number_normalized)
            self._open = request
            return ViewerReached()

    def save(self, target: Path) -> None:
        with self._one_call("save"):
            self._on_step(Step.SAVING)
            if self._open is None:
                raise BrowserFailed("There is no viewer.")
            self._registry.at(Point.SAVE, self, self._open.number_normalized)
            self._answered_at = self._registry.seconds()
            target.write_bytes(document_of(self._open.number_normalized))

    def collect_evidence(self, folder: Path, label: str, error: Exception) -> Path | None:
        del error
        return folder / label

    def interrupt(self) -> None:
        if self._open is not None:
            self._registry.violations.append(f"{self.account} is interrupted while it buys")
        self._registry.wake(self, interrupt=True)

    def close(self) -> None:
        self._registry.wake(self, close=True)

    def check(self) -> None:
        """Leave if somebody wants us to."""
        if self.interrupted:
            raise Aborted("The work was interrupted.")
        if self.closed:
            raise BrowserFailed("The session is closed.")

    @contextmanager
    def _one_call(self, name: str) -> Iterator[None]:
        self.check()
        if self._busy:
            self._registry.violations.append(f"{self.account}: {name} while another call is under way")
        self._busy = True
        try:
            yield
        finally:
            self._busy = False


@lru_cache(maxsize=256)
def document_of(number: str) -> bytes:
    """A small whole PDF whose text names the number."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", "", 12)
    pdf.cell(0, 10, f"Registre foncier du Quebec, document numero {number}, page 1 de 1")
    return bytes(pdf.output())


def read_bill(path: Path) -> list[Billed]:
    """The lines of a bill on disk; none when there is no file."""
    return [Billed(**json.loads(line)) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
