"""Keys open until they are revoked; a request under a key of its sender's orders once. Over both stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from registre.access import Role, make_key, prefix_of
from registre.batch import NewBatch
from registre.errors import NotFound, OtherRequest, Refused
from registre.job import Order
from registre.ports import Batches, JobQueue, KeyRing, Repeatable, Views
from registre.repeats import KEPT, Once
from registre.wiring import Store
from tests.contract.test_stores import ACTE, LOT
from tests.desk import Desk
from tests.memory.store import MemoryStore


class Ports:
    """What these tests use of a store."""

    def __init__(self, store: Store | MemoryStore) -> None:
        self.keys: KeyRing = store.keys
        self.repeatable: Repeatable = store.repeatable
        self.queue: JobQueue = store.queue
        self.views: Views = store.views
        self.batches: Batches = store.batches


@pytest.fixture(params=["postgres", "memory"])
def ports(request: pytest.FixtureRequest) -> Ports:
    return Ports(request.getfixturevalue("store") if request.param == "postgres" else MemoryStore())


def once(key: str = "k", request_hash: str = "h", sender: str = "s") -> Once:
    return Once(sender, key, request_hash)


def test_a_key_is_known_by_its_prefix_and_opens_only_for_its_own_text(ports: Ports) -> None:
    key, other = make_key(), make_key()
    assert prefix_of(key.text) == key.prefix
    assert ports.keys.add(key, "the clerk", Role.REQUESTER, "marie")
    known = ports.keys.find(key.prefix)
    assert known is not None
    assert (known.name, known.role) == ("the clerk", Role.REQUESTER)
    assert known.opens_for(key.text)
    assert not known.opens_for(other.text)
    assert ports.keys.find(other.prefix) is None
    assert key.text not in repr((key, known, ports.keys.all(), ports.views.last_events(10)))


def test_a_revoked_key_opens_nothing_and_is_still_listed(ports: Ports) -> None:
    key = make_key()
    ports.keys.add(key, "the clerk", Role.ADMIN, "marie")
    ports.keys.note_use(key.prefix)
    ports.keys.revoke(key.prefix, "paul")
    known = ports.keys.find(key.prefix)
    assert known is not None
    assert not known.opens_for(key.text)
    [view] = ports.keys.all()
    assert (view.revoked_by, view.author, view.name) == ("paul", "marie", "the clerk")
    assert view.last_used_at is not None
    with pytest.raises(Refused):
        ports.keys.revoke(key.prefix, "paul")
    with pytest.raises(NotFound):
        ports.keys.revoke("00000000", "paul")
    assert [event.kind for event in ports.views.last_events(2)] == ["key.added", "key.revoked"]


def test_a_first_key_is_made_once(ports: Ports) -> None:
    assert ports.keys.add(make_key(), "first", Role.ADMIN, "the first start", only_first=True)
    assert not ports.keys.add(make_key(), "first", Role.ADMIN, "the first start", only_first=True)
    assert len(ports.keys.all()) == 1


def test_an_order_sent_twice_under_one_key_is_one_order(ports: Ports) -> None:
    first = ports.repeatable.submit(once(), [Order(LOT)])
    ports.repeatable.keep_answer(once(), {"told": 1})
    ports.repeatable.keep_answer(once(), {"told": 2})
    again = ports.repeatable.submit(once(), [Order(LOT)])
    assert (first.repeated, again.repeated) == (False, True)
    assert first.jobs == again.jobs
    assert again.answer == {"told": 1}
    assert sum(ports.views.counts().values()) == 1


def test_what_became_of_a_request_is_recalled_before_it_is_judged(ports: Ports) -> None:
    assert ports.repeatable.recall(once()) is None
    first = ports.repeatable.submit(once(), [Order(LOT)])
    recalled = ports.repeatable.recall(once())
    assert recalled is not None
    assert (recalled.jobs, recalled.repeated, recalled.answer) == (first.jobs, True, None)
    with pytest.raises(OtherRequest):
        ports.repeatable.recall(once(request_hash="other"))


def test_keys_of_two_senders_do_not_meet(ports: Ports) -> None:
    ports.repeatable.submit(once(sender="a"), [Order(LOT)])
    assert not ports.repeatable.submit(once(sender="b"), [Order(ACTE)]).repeated


def test_a_key_given_to_another_request_is_refused(ports: Ports) -> None:
    ports.repeatable.submit(once(), [Order(LOT)])
    with pytest.raises(OtherRequest):
        ports.repeatable.submit(once(request_hash="other"), [Order(ACTE)])
    with pytest.raises(OtherRequest):
        ports.repeatable.submit_batch(once(request_hash="other"), NewBatch("b"), [Order(ACTE)])
    assert sum(ports.views.counts().values()) == 1


def test_a_batch_sent_twice_under_one_key_is_one_batch(ports: Ports) -> None:
    first = ports.repeatable.submit_batch(once(), NewBatch("b", "a", "marie", 500), [Order(LOT), Order(ACTE)])
    again = ports.repeatable.submit_batch(once(), NewBatch("b", "a", "marie", 500), [Order(LOT), Order(ACTE)])
    assert first.batch_id == again.batch_id is not None
    assert (first.repeated, again.repeated) == (False, True)
    [batch] = ports.batches.all()
    assert (batch.id, batch.total, batch.cap_cents) == (first.batch_id, 2, 500)


def test_a_refused_order_leaves_its_key_free(ports: Ports) -> None:
    broken = Order(type(LOT)(LOT.source, "24\x00", LOT.circonscription, LOT.cadastre))
    with pytest.raises(Refused):
        ports.repeatable.submit(once(request_hash="broken"), [broken])
    assert not ports.repeatable.submit(once(request_hash="mended"), [Order(LOT)]).repeated


def test_repetitions_at_one_instant_order_once(store: Store) -> None:
    together = Barrier(6)

    def send(_: int) -> tuple[bool, tuple[str, ...]]:
        together.wait()
        outcome = store.repeatable.submit(once(), [Order(LOT)])
        return outcome.repeated, outcome.jobs

    with ThreadPoolExecutor(6) as senders:
        told = list(senders.map(send, range(6)))
    assert sorted(repeated for repeated, _ in told) == [False] + [True] * 5
    assert len({jobs for _, jobs in told}) == 1
    assert sum(store.views.counts().values()) == 1


def test_a_key_is_forgotten_after_a_day(desk: Desk, store: Store) -> None:
    store.repeatable.submit(once(), [Order(LOT)])
    store.repeatable.submit(once("other"), [Order(LOT)])
    desk.sql("update registre.requests set at = at - %s", KEPT + timedelta(minutes=1))
    assert not store.repeatable.submit(once(request_hash="another day"), [Order(ACTE)]).repeated
    assert [row["key"] for row in desk.sql("select key from registre.requests")] == ["k"]
