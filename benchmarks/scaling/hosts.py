"""Some hosts in one process, told what to do a line at a time: `python -m benchmarks.scaling.hosts HOME`.

Each host is the product's whole fleet (supervisor, dispatcher, lease keeper, recorder, a browser actor and a thread for each
account, spool, tasks, listener) with connections of its own. Only the site is simulated; every call of the database is counted.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from actors.fleet import Fleet
from benchmarks.queue import wire
from benchmarks.scaling.site import SimulatedSite
from registre.database.gateway import DirectGateway
from registre.settings import Settings
from registre.storage.local import LocalBuckets
from registre.wiring import make_store

TIMED = ("lease_next", "renew")


class Counting:
    """Implements `registre.database.gateway.Gateway` over another: counts calls, and times some."""

    def __init__(self, inner: DirectGateway, calls: Counter[str], took: dict[str, list[float]], guard: Lock) -> None:
        self._inner = inner
        self._calls = calls
        self._took = took
        self._guard = guard

    def call(self, function: str, /, **arguments: Any) -> list[dict[str, Any]]:
        began = time.perf_counter()
        try:
            return self._inner.call(function, **arguments)
        finally:
            with self._guard:
                self._calls[function] += 1
                if function in TIMED:
                    self._took[function].append((time.perf_counter() - began) * 1000)

    def listen(self, channels: tuple[str, ...], ring: Callable[[str, str], None]) -> Callable[[], None]:
        return self._inner.listen(channels, ring)

    def close(self) -> None:
        self._inner.close()


class Hosts:
    """The hosts of this process."""

    def __init__(self, home: Path, dsn: str) -> None:
        self._home = home
        self._dsn = dsn
        self._running: list[tuple[Fleet, SimulatedSite, DirectGateway]] = []
        self._calls: Counter[str] = Counter()
        self._took: dict[str, list[float]] = defaultdict(list)
        self._guard = Lock()

    def start(self, names: list[str], accounts: int, order_seconds: float) -> None:
        for name in names:
            gateway, site = DirectGateway(self._dsn), SimulatedSite(order_seconds)
            store = make_store(
                Counting(gateway, self._calls, self._took, self._guard), LocalBuckets(self._home / "buckets")
            )
            settings = Settings(
                _env_file=None, home=self._home / name, host=name, max_sessions=accounts, drain_seconds=180
            )
            fleet = Fleet(settings, store, site)
            fleet.start()
            self._running.append((fleet, site, gateway))

    def pace(self, order_seconds: float) -> None:
        for _, site, _ in self._running:
            site.pace(order_seconds)

    def read(self) -> dict[str, Any]:
        """Sessions that are open, calls so far, and the times of those since the last reading."""
        with self._guard:
            took = {name: self._took.pop(name, []) for name in TIMED}
            return {"open": sum(site.open for _, site, _ in self._running), "calls": dict(self._calls), "took": took}

    def stop(self) -> dict[str, Any]:
        # All at once, and orders end at their own pace: a thousand in one second, beside a server that has precedence, left the
        # hosts no processor to connect with, and what they could not deliver in time stayed in their spools.
        with ThreadPoolExecutor(len(self._running)) as drains:
            drained = list(drains.map(lambda running: running[0].drain(), self._running))
        for _, _, gateway in self._running:
            gateway.close()
        noted = [site.noted for _, site, _ in self._running]
        self._running.clear()
        return {
            "clean": all(drained),
            "sessions": [stretch for each in noted for stretch in each.sessions],
            "orders": [stretch for each in noted for stretch in each.orders],
            "billed": [number for each in noted for number in each.billed],
        }


def main(arguments: list[str]) -> int:
    logging.getLogger().setLevel(logging.ERROR)
    hosts = Hosts(Path(arguments[0]), wire.database())
    wire.say(ready=True)
    for command in wire.commands():
        match command["do"]:
            case "start":
                hosts.start(command["names"], command["accounts"], command["order_seconds"])
                wire.say(started=len(command["names"]))
            case "pace":
                hosts.pace(command["order_seconds"])
                wire.say(ok=True)
            case "read":
                wire.say(**hosts.read())
            case "stop":
                wire.say(**hosts.stop())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
