"""What happens becomes a notice once, for whom it concerns, and is due until it is taken or given up. Over both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from registre.batch import NewBatch
from registre.errors import NotFound
from registre.job import Order
from registre.ports import Batches, JobQueue, Views, Webhooks
from registre.webhooks import NewWebhook, NoticeState, WebhookId, make_secret
from registre.wiring import Store
from tests.contract.test_stores import ACTE, LOT
from tests.memory.store import MemoryStore

KINDS = ("job.submitted", "job.failed")
HOUR = timedelta(hours=1)


class Ports:
    """What these tests use of a store."""

    def __init__(self, store: Store | MemoryStore) -> None:
        self.webhooks: Webhooks = store.webhooks
        self.queue: JobQueue = store.queue
        self.batches: Batches = store.batches
        self.views: Views = store.views

    def hook(self, **more: str) -> WebhookId:
        return self.webhooks.add(NewWebhook("a firm", "https://example.com/h", KINDS, **more), make_secret(), "marie")


@pytest.fixture(params=["postgres", "memory"])
def ports(request: pytest.FixtureRequest) -> Ports:
    return Ports(request.getfixturevalue("store") if request.param == "postgres" else MemoryStore())


def test_what_happened_before_is_nobodys_and_what_happens_then_is_told_once(ports: Ports) -> None:
    ports.queue.submit([Order(LOT)])
    hook = ports.hook()
    assert ports.webhooks.plan() == 0
    [job_id] = ports.queue.submit([Order(ACTE)])
    ports.queue.cancel(job_id, "a test")
    assert (ports.webhooks.plan(), ports.webhooks.plan()) == (2, 0)
    assert {notice.kind for notice in ports.webhooks.notices(hook)} == set(KINDS)
    claimed = [ports.webhooks.claim(notice, 60) for notice in ports.webhooks.due()]
    assert {notice.body["extraction_id"] for notice in claimed if notice} == {job_id}


def test_a_webhook_of_a_client_or_a_batch_is_told_of_theirs_alone(ports: Ports) -> None:
    batch = ports.batches.submit(NewBatch("b"), [Order(LOT, client="b")])
    everybody, client, of_batch = ports.hook(), ports.hook(client="a"), ports.hook(batch_id=batch.id)
    ports.queue.submit([Order(ACTE, client="a")])
    ports.batches.cancel(batch.id, "a test")
    ports.webhooks.plan()
    told = {hook: [notice.kind for notice in ports.webhooks.notices(hook)] for hook in (everybody, client, of_batch)}
    assert sorted(told[everybody]) == ["job.failed", "job.submitted"]
    assert (told[client], told[of_batch]) == (["job.submitted"], ["job.failed"])


def test_a_notice_is_one_senders_until_it_is_noted(ports: Ports) -> None:
    hook = ports.hook()
    notice_id = ports.webhooks.test(hook)
    notice = ports.webhooks.claim(notice_id, 60)
    assert notice is not None
    assert (notice.kind, notice.attempts, notice.url) == ("webhook.test", 1, "https://example.com/h")
    assert notice.secret.startswith("whsec_")
    assert notice.secret not in repr(notice)
    assert ports.webhooks.claim(notice_id, 60) is None
    assert ports.webhooks.due() == []
    ports.webhooks.note(notice_id, 500, "answered 500.", timedelta(0))
    assert ports.webhooks.due() == [notice_id]
    again = ports.webhooks.claim(notice_id, 60)
    assert again is not None
    assert again.attempts == 2
    ports.webhooks.note(notice_id, 204, None, None)
    ports.webhooks.note(notice_id, None, "too late", HOUR)
    [view] = ports.webhooks.notices(hook)
    assert (view.state, view.status, view.error, view.attempts) == (NoticeState.DELIVERED, 204, None, 2)
    assert view.ended_at is not None


def test_a_notice_that_waits_or_is_given_up_is_counted(ports: Ports) -> None:
    hook = ports.hook()
    for again in (HOUR, None):
        notice_id = ports.webhooks.test(hook)
        ports.webhooks.claim(notice_id, 60)
        ports.webhooks.note(notice_id, None, "cannot be reached.", again)
    view = ports.webhooks.get(hook)
    assert (view.waiting, view.given_up, view.author, view.kinds) == (1, 1, "marie", KINDS)


def test_a_removed_webhook_is_told_nothing_more(ports: Ports) -> None:
    hook, other = ports.hook(), ports.hook()
    notice_id = ports.webhooks.test(hook)
    ports.queue.submit([Order(LOT)])
    ports.webhooks.remove(hook, "paul")
    assert ports.webhooks.claim(notice_id, 60) is None
    assert ports.webhooks.plan() == 1
    assert [view.id for view in ports.webhooks.all()] == [other]
    for act in (
        lambda: ports.webhooks.get(hook),
        lambda: ports.webhooks.test(hook),
        lambda: ports.webhooks.remove(hook, "paul"),
    ):
        with pytest.raises(NotFound):
            act()
    assert [event.kind for event in ports.views.last_events(9)][:2] == ["webhook.added", "webhook.added"]
    assert all("whsec" not in str(event) for event in ports.views.last_events(9))


@pytest.mark.parametrize("kind", ["postgres", "memory"])
def test_what_is_over_is_kept_for_the_days_of_the_rule(request: pytest.FixtureRequest, kind: str) -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def clock() -> datetime:
        return now

    store = request.getfixturevalue("store_at")(clock) if kind == "postgres" else MemoryStore(clock)
    ports, hook = Ports(store), Ports(store).hook()
    waits, over = ports.webhooks.test(hook), ports.webhooks.test(hook)
    assert ports.webhooks.claim(over, 60) is not None
    ports.webhooks.note(over, 204, None, None)
    store.gates.set_rule("notice_days", 7, "a test")
    for days, kept in ((7, {waits, over}), (8, {waits})):
        now = datetime(2026, 6, 1 + days, 12, tzinfo=UTC)
        ports.webhooks.plan()
        assert {notice.id for notice in ports.webhooks.notices(hook)} == kept
    ports.webhooks.remove(hook, "a test")  # what waited is given up with it
    now = datetime(2026, 6, 20, 12, tzinfo=UTC)
    ports.webhooks.plan()
    assert ports.webhooks.notices(hook) == []


def test_many_events_become_notices_in_their_order(store: Store) -> None:
    ports = Ports(store)
    hook = ports.hook()
    ids = store.queue.submit([Order(LOT, client=str(number)) for number in range(1200)])
    assert ports.webhooks.plan() == 1200
    assert len(ports.webhooks.due(2000)) == 1200
    assert ports.webhooks.get(hook).waiting == len(ids)
