"""Clients that order over HTTP while the API dies under their hands: each order until it is acknowledged.

Invariant: an order has one `Idempotency-Key` for all its tries, and the next is sent only when it is acknowledged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from threading import Event, Thread

import httpx

from benchmarks.storm.plan import Planned

TRY_AGAIN_SECONDS = 0.5
TIMEOUT_SECONDS = 15.0
AHEAD = 30
"""So many orders may wait before clients go on ordering: the queue is never empty, and the API is in use to the end."""


class Clients:
    """A thread that sends `orders`, as room comes. `acknowledged` is the id answered for each, by its place in `orders`."""

    def __init__(self, url: str, key: str, orders: Sequence[Planned], room: Callable[[], int]) -> None:
        """`room` says how many orders may be sent now."""
        self._orders = orders
        self._room = room
        self._http = httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=TIMEOUT_SECONDS)
        self._stop = Event()
        self._thread = Thread(target=self._send_all, name="clients", daemon=True)
        self.acknowledged: dict[int, str] = {}
        self.again: Counter[str] = Counter()
        """Why an order was sent once more."""
        self.refused: list[str] = []

    def start(self) -> None:
        self._thread.start()

    @property
    def are_done(self) -> bool:
        return len(self.acknowledged) + len(self.refused) == len(self._orders)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(TIMEOUT_SECONDS + TRY_AGAIN_SECONDS)
        self._http.close()

    def _send_all(self) -> None:
        for index, planned in enumerate(self._orders):
            while self._room() <= 0:
                if self._stop.wait(TRY_AGAIN_SECONDS):
                    return
            while not self._send(index, planned):
                if self._stop.wait(TRY_AGAIN_SECONDS):
                    return

    def _send(self, index: int, planned: Planned) -> bool:
        """Whether it is over with this order."""
        request = planned.order.request
        body = {
            "document_source": request.source.value,
            "document_number": request.number,
            "circonscription_fonciere": request.circonscription,
            "cadastre": request.cadastre,
            "designation_secondaire": request.designation,
            "acte_type": request.acte_type,
            "client": planned.order.client,
            "priority": planned.order.priority,
        }
        try:
            answer = self._http.post(
                "/api/extractions",
                json={name: value for name, value in body.items() if value},
                headers={"Idempotency-Key": f"order-{index}"},
            )
        except httpx.HTTPError as error:
            self.again[type(error).__name__] += 1
            return False
        if answer.status_code == 201:
            self.acknowledged[index] = answer.json()["extraction_id"]
            return True
        if answer.status_code < 500 and answer.status_code not in (409, 429):
            self.refused.append(f"{answer.status_code} {answer.text[:200]}")
            return True
        self.again[str(answer.status_code)] += 1
        return False
