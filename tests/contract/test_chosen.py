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


def test_a_listing_tells_its_page_and_its_total_at_one_look(ports: Ports) -> None:
    ports.queue.submit([Order(replace(ACTE, number=str(number)), client="a") for number in range(1, 6)])
    ports.queue.submit([Order(LOT, client="b")])
    everything, waiting, of_a = JobFilter(), JobFilter(status=Status.WAITING), JobFilter(client="a")
    for wanted, count_to, told in (
        (everything, 3, (6, True)),
        (waiting, 3, (6, True)),
        (JobFilter(status=Status.DONE), 3, (0, True)),
        (of_a, 9, (5, True)),
        (of_a, 3, (3, False)),
        (JobFilter(client="b"), 1, (1, True)),  # the whole of it is there to see
        (JobFilter(client="nobody"), 3, (0, True)),
    ):
        found = ports.views.listing(wanted, None, 2, count_to=count_to)
        assert found.page == ports.views.page(wanted, None, 2)
        assert (found.total, found.total_is_exact) == told, wanted
    for wanted, count_to, told in ((everything, 3, (6, True)), (of_a, 3, (3, False)), (of_a, 9, (5, True))):
        end = ports.views.page(wanted, None, 4).next_cursor
        assert end is not None
        found = ports.views.listing(wanted, end, 9, count_to=count_to)
        assert (found.total, found.total_is_exact) == told
        assert found.page.next_cursor is None


def test_past_the_end_of_a_listing_its_total_is_told_all_the_same(store: Store) -> None:
    first = store.queue.submit([Order(replace(ACTE, number=str(number)), client="a") for number in range(1, 6)])[0]
    oldest = store.views.job(first)
    past = f"{oldest.created_at.isoformat()}_{oldest.id}"
    for wanted, told in (
        (JobFilter(), (5, True)),
        (JobFilter(status=Status.WAITING), (5, True)),
        (JobFilter(client="a"), (3, False)),
    ):
        found = store.views.listing(wanted, past, 9, count_to=3)
        assert (found.page.jobs, found.total, found.total_is_exact) == ((), *told)


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
