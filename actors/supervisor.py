"""Keeps one browser alive per account this host holds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import Event

import pykka

from actors.browser import Browser
from actors.messages import (
    Asked,
    AskStatus,
    BrowserStatus,
    Closed,
    Died,
    Drain,
    DropSeat,
    HoldSeat,
    Leave,
    Left,
    Record,
    Ref,
    Respawn,
    Standing,
    Tick,
    Wake,
)
from actors.surroundings import Surroundings
from registre.account import AccountId, Credentials, Seat, WishKind
from registre.errors import DatabaseUnavailable, Refused
from registre.ports import AccountBook
from registre.retry import backoff

log = logging.getLogger(__name__)

RESPAWN_BASE = timedelta(seconds=1)
RESPAWN_CAP = timedelta(minutes=2)
STATUS_SECONDS = 0.5


@dataclass(slots=True)
class _Child:
    seat: Seat
    credentials: Credentials
    ref: Ref | None
    deaths: int = 0
    silent: bool = False
    leaving: bool = False  # died, and its thread is still at work


class Supervisor(pykka.ThreadingActor):
    """Owns: the browsers, one for each account leased by this host.
    Receives: Tick (sweep, claim accounts, see what people ask of them, send the spool again), Wake (claim), Asked (see), Record,
    Closed, Died and Left from browsers, Respawn, Drain.
    Tells: browsers Leave and Drain, the lease keeper HoldSeat and DropSeat, the recorder Standing. Asks: browsers AskStatus.
    Dies when: the fleet stops it, after the last browser closed.
    """

    use_daemon_thread = True

    def __init__(
        self,
        accounts: AccountBook,
        owner: str,
        visibility: timedelta,
        max_sessions: int,
        surround: Callable[[Ref], Surroundings],
        drained: Event,
    ) -> None:
        super().__init__()
        self._accounts = accounts
        self._owner = owner
        self._visibility = visibility
        self._max_sessions = max_sessions
        self._around = surround(self.actor_ref)
        self._children: dict[AccountId, _Child] = {}
        self._drained = drained
        self._draining = False

    def on_receive(self, message: object) -> None:
        try:
            self._receive(message)
        except Exception:  # nobody stands above the supervisor to start it again
            log.exception("%s could not be handled", type(message).__name__)

    def _receive(self, message: object) -> None:
        match message:
            case Tick():
                self._sweep()
                self._claim()
                self._attend()
                self._around.relay()
            case Wake():
                self._claim()
            case Asked():
                self._attend()
                self._claim()
            case Record():
                self._around.recorder.tell(Standing(self._standing()))
            case Closed(seat, reason):
                self._closed(seat, reason)
            case Died(seat, browser, why):
                self._died(seat, browser, why)
            case Left(seat):
                self._left(seat)
            case Respawn(seat, credentials):
                self._respawn(seat, credentials)
            case Drain():
                self._drain()
            case _:
                log.error("unexpected message %r", message)

    def _claim(self) -> None:
        room = self._max_sessions - len(self._children)
        if self._draining or room <= 0:
            return
        try:
            claimed = self._accounts.claim(self._owner, room, self._visibility)
        except (DatabaseUnavailable, Refused) as error:
            log.warning("no account can be claimed: %s", error)
            return
        for seat, credentials in claimed:
            self._children[seat.account_id] = child = _Child(seat, credentials, None)
            self._spawn(child)

    def _spawn(self, child: _Child) -> None:
        child.ref = Browser.start(self._around, child.seat, child.credentials)
        self._around.lease_keeper.tell(HoldSeat(child.seat, child.ref))

    def _attend(self) -> None:
        """Tell browsers what people ask of their accounts; told again on every tick until it is done."""
        try:
            wishes = self._accounts.wishes(self._owner) if self._children and not self._draining else []
        except DatabaseUnavailable as error:
            log.warning("what people ask of the accounts is not known: %s", error)
            return
        for wish in wishes:
            child = self._children.get(wish.account_id)
            if child is not None and child.ref is not None and child.seat.token == wish.token:
                with suppress(pykka.ActorDeadError):
                    child.ref.tell(Drain() if wish.kind is WishKind.LEAVE else Leave())

    def _sweep(self) -> None:
        """A browser that ended without a word (a failing on_start tells nobody) is found here, one tick later."""
        for child in list(self._children.values()):
            if child.ref is None or child.ref.is_alive():
                child.silent = False
            elif child.silent:
                self._died(child.seat, child.ref, "it ended without a word")
                self._left(child.seat)
            else:
                child.silent = True  # its Closed or Died may still be in the inbox

    def _standing(self) -> tuple[BrowserStatus, ...]:
        """What every browser says of itself. They never block, so that who is silent for so long is in trouble."""
        asked = [
            (child.seat, child.ref.ask(AskStatus(), block=False)) for child in self._children.values() if child.ref
        ]
        until = time.monotonic() + STATUS_SECONDS
        found = []
        for seat, answer in asked:
            try:
                found.append(answer.get(timeout=max(0.0, until - time.monotonic())))
            except (pykka.Timeout, pykka.ActorDeadError):
                found.append(BrowserStatus(seat, "silent", None, None, None, 0))
        return tuple(found)

    def _died(self, seat: Seat, browser: Ref, why: str) -> None:
        child = self._children.get(seat.account_id)
        if child is None or child.seat != seat or child.ref is not browser:
            return
        child.ref = None
        child.leaving = True
        child.deaths += 1
        log.warning("%s ended and is started again: %s", seat.worker, why)

    def _left(self, seat: Seat) -> None:
        child = self._children.get(seat.account_id)
        if child is None or child.seat != seat or not child.leaving:
            return
        child.leaving = False
        if self._draining:
            self._closed(seat, None)
            return
        pause = backoff(child.deaths, base=RESPAWN_BASE, cap=RESPAWN_CAP).total_seconds()
        self._around.ticker.after(pause, self.actor_ref, Respawn(seat, child.credentials))

    def _respawn(self, seat: Seat, credentials: Credentials) -> None:
        child = self._children.get(seat.account_id)
        if child is not None and child.seat == seat and child.ref is None and not self._draining:
            self._spawn(child)

    def _closed(self, seat: Seat, reason: str | None) -> None:
        child = self._children.get(seat.account_id)
        if child is None or child.seat != seat:
            return
        del self._children[seat.account_id]
        self._around.lease_keeper.tell(DropSeat(seat))
        try:
            if reason is not None:
                log.error("account %s is set aside: %s", seat.username, reason)
                self._accounts.set_aside(seat, reason, None)
            else:
                self._accounts.release(seat)
        except DatabaseUnavailable as error:
            log.warning("account %s could not be let go (%s); its lease will run out", seat.username, error)
        if self._draining and not self._children:
            self._drained.set()
        self._claim()  # perhaps the same account: it was let go to be signed in anew

    def _drain(self) -> None:
        self._draining = True
        for child in list(self._children.values()):
            if child.ref is None:
                if not child.leaving:
                    self._closed(child.seat, None)
                continue
            with suppress(pykka.ActorDeadError):
                child.ref.tell(Drain())
        if not self._children:
            self._drained.set()
