"""Our side, in a process of its own: `submitter` puts orders in, `consumer` is a worker without a browser.

The consumer waits and leases as the fleet does: the gateway's listener rings, then `lease_next` for the idle seat.
wait: one lease for each ring · work: lease until nothing is left, then wait; each job is failed, one call ·
buy: as work, and each job is bought: intend, charge, secure, deliver.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

from benchmarks.queue import wire
from registre.account import Seat
from registre.database.gateway import DirectGateway
from registre.document import DocumentRequest, Source
from registre.errors import ErrorKind
from registre.job import Lease, Order
from registre.ledger import Delivery, SecuredFile, Verdict
from registre.store.accounts import Accounts
from registre.store.jobs import JOBS_CHANNEL, Jobs
from registre.store.ledger import Purchases

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SHA256 = hashlib.sha256(b"bench").hexdigest()


def order(number: str, priority: int = 0) -> Order:
    request = DocumentRequest(Source.ACTE, number, "Montréal", "", "", "Acte")
    return Order(request, client="bench", priority=priority)


def submitter(gateway: DirectGateway) -> None:
    jobs = Jobs(gateway)
    gateway.check()
    wire.say(ready=True)
    done = 0
    for command in wire.commands():
        if command["do"] == "submit":
            orders = [order(f"M-{command['number']}", priority=10)]
            at = time.time()
            jobs.submit(orders)
            wire.say(at=at)
        else:
            orders = [order(str(10_000_000 + done + n)) for n in range(command["rows"])]
            done += len(orders)
            at = time.perf_counter()
            jobs.submit(orders)
            wire.say(seconds=time.perf_counter() - at)


class Consumer:
    """One seat at work. The main thread is the dispatcher's, the listener's rings wake it, a third reads commands."""

    def __init__(self, gateway: DirectGateway) -> None:
        self._jobs = Jobs(gateway)
        self._ledger = Purchases(gateway)
        self._accounts = Accounts(gateway)
        self._host = f"bench-{os.getpid()}"
        self._owner = f"{self._host}/boot"
        self._seat: Seat = self._accounts.claim(self._owner, 1, HOUR)[0][0]
        self._wakes: SimpleQueue[None] = SimpleQueue()
        self._doing: SimpleQueue[str | None] = SimpleQueue()
        self._stopped = Event()
        listening = Event()

        def ring(channel: str, payload: str) -> None:
            del payload
            if channel == JOBS_CHANNEL:
                listening.set()
                self._wakes.put(None)

        self._unlisten = self._jobs.listen(ring)
        listening.wait(10)
        Thread(target=self._read, daemon=True).start()
        wire.say(ready=True)

    def _read(self) -> None:
        for command in wire.commands():
            if command["do"] == "stop":
                self._stopped.set()
                self._wakes.put(None)
            else:
                self._stopped.clear()
                self._doing.put(command["do"])
        self._stopped.set()
        self._wakes.put(None)
        self._doing.put(None)

    def serve(self) -> None:
        ways: dict[str, tuple[bool, Callable[[Lease], None]]] = {
            "wait": (True, self._fail),
            "work": (False, self._fail),
            "buy": (False, self._buy),
        }
        while (doing := self._doing.get()) is not None:
            one, end = ways[doing]
            tally = wire.Tally()
            self._forget_wakes()
            wire.say(ready=True)
            while not self._stopped.is_set():
                leased = self._lease(end, tally) if not one else False
                if not leased:
                    self._wakes.get()
                    if one and not self._stopped.is_set():
                        self._lease(end, tally)
            tally.say()
        self._unlisten()
        self._accounts.release(self._seat)

    def _forget_wakes(self) -> None:
        while not self._wakes.empty():
            self._wakes.get()

    def _lease(self, end: Callable[[Lease], None], tally: wire.Tally) -> bool:
        leases = self._jobs.lease_next(self._owner, [self._seat], MINUTE)
        at = time.time()
        for lease in leases:
            end(lease)
            tally.add()
            if lease.request.number.startswith("M-"):
                wire.say(number=int(lease.request.number[2:]), at=at)
        return bool(leases)

    def _fail(self, lease: Lease) -> None:
        self._jobs.fail(lease, ErrorKind.NOT_FOUND, "No such document.")

    def _buy(self, lease: Lease) -> None:
        intent = self._ledger.intend(lease, self._host)
        assert intent.verdict is Verdict.GRANTED
        assert intent.purchase_id is not None
        self._ledger.charge(intent.purchase_id, lease, [])
        self._ledger.secure(intent.purchase_id, SecuredFile(SHA256, 100_000, 3))
        self._ledger.deliver(Delivery(intent.purchase_id, SHA256, "actes", f"{lease.job_id}.pdf"))


def main(arguments: list[str]) -> int:
    roles: dict[str, Any] = {"submitter": submitter, "consumer": lambda gateway: Consumer(gateway).serve()}
    with DirectGateway(wire.database(), pool_size=2) as gateway:
        roles[arguments[0]](gateway)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
