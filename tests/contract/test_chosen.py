"""Many orders at once: a listing's jobs at one instant, and a batch cancelled only as it was seen. Over both stores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registre.batch import NewBatch
from registre.errors import Miscounted
from registre.job import JobFilter, Order, Status
from registre.ports import Batches, JobQueue, Views
from registre.wiring import Store
from tests.contract.test_stores import ACTE, LOT
from tests.memory.store import MemoryStore


class Ports:
    """What these tests use of a store."""

    def __init__(self, store: Store | MemoryStore) -> None:
        self.queue: JobQueue = store.queue
        self.views: Views = store.views
        self.batches: Batches = store.batches


@pytest.fixture(params=["postgres", "memory"])
def ports(request: pytest.FixtureRequest) -> Ports:
    return Ports(request.getfixturevalue("store") if request.param == "postgres" else MemoryStore())


def test_the_jobs_of_a_listing_are_those_of_its_pages(ports: Ports) -> None:
    ports.queue.submit([Order(replace(ACTE, number=str(number)), client="a") for number in range(1, 5)])
    [other] = ports.queue.submit([Order(LOT, client="b")])
    for wanted in (JobFilter(), JobFilter(client="a"), JobFilter(status=Status.FAILED), JobFilter(source="index")):
        listed = [job.id for job in ports.views.page(wanted).jobs]
        assert ports.views.ids(wanted, 100) == listed
        assert ports.views.ids(wanted, 2) == listed[:2]
    assert ports.views.ids(JobFilter(client="b"), 100) == [other]


def test_a_batch_is_cancelled_only_when_as_many_have_not_ended_as_were_seen(ports: Ports) -> None:
    orders = [Order(replace(ACTE, number=str(number))) for number in range(1, 4)]
    batch = ports.batches.submit(NewBatch("b"), orders).id
    first = ports.views.page(JobFilter(batch_id=batch)).jobs[-1].id
    ports.queue.cancel(first, "a test")
    with pytest.raises(Miscounted, match="3 orders were expected, and 2 have not ended"):
        ports.batches.cancel(batch, "a test", expected=3)
    assert ports.batches.get(batch).counts[Status.WAITING] == 2
    assert ports.batches.cancel(batch, "a test", expected=2) == 2
    assert ports.batches.cancel(batch, "a test", expected=0) == 0
