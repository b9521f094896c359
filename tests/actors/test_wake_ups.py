"""Wake-ups over a real Redis: they ring, they cost nothing when the broker is away, and nobody can do harm with one."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from threading import Semaphore

import dramatiq
import pytest

from actors.broker import open_broker, probe
from actors.wake_ups import LOOK, Listener, WakeUps, queue_of
from registre.errors import BrokerUnavailable, ConfigurationError
from registre.ledger import PurchaseId
from tests.redis_server import RedisServer, running_redis
from tests.waiting import SECONDS

ONE = PurchaseId("11111111-aaaa")


@pytest.fixture
def broker() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


class Ear:
    """Counts what a host hears."""

    def __init__(self, url: str, host: str) -> None:
        self.rung = Semaphore(0)
        self.listener = Listener(open_broker(url), url, host, self.rung.release)
        self.listener.start()

    def hears(self) -> bool:
        return self.rung.acquire(timeout=SECONDS)


def test_a_wake_up_reaches_the_host_it_is_for_and_no_other(broker: RedisServer) -> None:
    here, elsewhere = Ear(broker.url, "host-a"), Ear(broker.url, "host-b")
    told = WakeUps(open_broker(broker.url), broker.url, "host-a")
    try:
        told.start()
        assert here.hears(), "it is told at its start: there may be something of before"
        told.wake(ONE)
        assert here.hears()
    finally:
        told.stop()
        here.listener.stop()
        elsewhere.listener.stop()
    assert not elsewhere.rung.acquire(blocking=False)


def test_a_broker_that_goes_away_and_comes_back_is_heard_again(
    broker: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "actors")
    here = Ear(broker.url, "host-a")
    told = WakeUps(open_broker(broker.url), broker.url, "host-a")
    try:
        told.start()
        assert here.hears()
        broker.kill()
        began = time.monotonic()
        for _ in range(100):
            told.wake(ONE)
        assert time.monotonic() - began < 1, "nobody waits for a broker"
        broker.start()
        while not here.rung.acquire(timeout=0.2):
            told.wake(ONE)
        assert caplog.text.count("does not answer") <= 2
        assert "Traceback" not in caplog.text
    finally:
        told.stop()
        here.listener.stop()


def test_what_others_put_into_the_queue_is_a_wake_up_at_most(
    broker: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    here = Ear(broker.url, "host-a")
    stranger = open_broker(broker.url)
    try:
        for name, arguments in (("format_disk", ()), (LOOK, ("../../etc/passwd",)), (LOOK, ())):
            stranger.enqueue(dramatiq.Message(queue_of("host-a"), name, arguments, {}, {}))
        assert here.hears(), "the last one is in order"
        assert not here.rung.acquire(blocking=False), "the others did nothing"
        assert "Traceback" not in caplog.text
    finally:
        here.listener.stop()


def test_a_probe_says_what_answers_and_what_is_wrong(broker: RedisServer) -> None:
    assert probe(broker.url) == f"Redis at 127.0.0.1:{broker.port}"
    broker.kill()
    with pytest.raises(BrokerUnavailable, match="does not answer"):
        probe(broker.url)
    with running_redis("--requirepass", "right") as guarded:
        assert probe(f"redis://:right@127.0.0.1:{guarded.port}/0")
        for wrong in ("redis://:wr0ng@127.0.0.1", "redis://127.0.0.1", "redis://somebody:wr0ng@127.0.0.1"):
            with pytest.raises(ConfigurationError, match="does not let us in") as refused:
                probe(f"{wrong}:{guarded.port}/0")
            assert "wr0ng" not in str(refused.value)


def test_a_wrong_password_is_told_once_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with running_redis("--requirepass", "right") as guarded:
        url = f"redis://:wr0ng@127.0.0.1:{guarded.port}/0"
        told = WakeUps(open_broker(url), url, "host-a")
        told.start()
        told.stop()
    assert caplog.text.count("does not let us in") == 1
    assert "wr0ng" not in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("url", ["amqp://me:s3cret@127.0.0.1:9/", "amqps://me:s3cret@127.0.0.1:9/"])
def test_rabbitmq_is_spoken_too(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Its client is made without a connection; that nobody answers is the same sentence."""
    told = WakeUps(open_broker(url), url, "host-a")
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1:9 does not answer") as away:
        probe(url)
    told.start()
    told.stop()
    assert "s3cret" not in str(away.value) + caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("url", ["redis://127.0.0.1:9/0?socket_timeout=long", "amqp://127.0.0.1/?heartbeat=often"])
def test_an_option_that_cannot_be_read_is_a_sentence(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REGISTRE_BROKER_URL"):
        open_broker(url)
