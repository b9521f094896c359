"""The broker that carries wake-ups between the programs of a host: Redis or RabbitMQ, as REGISTRE_BROKER_URL says.

Invariant: what the libraries say of a broker becomes one sentence here, and never holds the password.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pika
import redis
from dramatiq.broker import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import DramatiqError
from pika.exceptions import AMQPError
from redis.backoff import NoBackoff
from redis.retry import Retry

from registre.errors import BrokerUnavailable, ConfigurationError

ANSWER_SECONDS = 5.0
_NOT_OURS = (redis.AuthenticationError, redis.exceptions.NoPermissionError)
_CLOSED_TO_US = (403, 530)
"""RabbitMQ's reply codes for a user it does not let in, and for a virtual host that is not there."""


def open_broker(address: str) -> Broker:
    """The broker of a checked address; nothing is asked of it yet. Nothing of dramatiq's is done around a message: none is
    tried again, as none is ever needed."""
    # They write of every broken connection themselves, some of it with tracebacks.
    for library in ("dramatiq", "pika"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    if _is_redis(address):
        return RedisBroker(client=_redis(address), middleware=[], namespace="registre")  # type: ignore[no-untyped-call]
    # Confirmed, so that a queue that is gone is seen and made again.
    rabbit = RabbitmqBroker(middleware=[], confirm_delivery=True)
    rabbit.parameters = _rabbit(address)
    return rabbit


def probe(address: str) -> str:
    """Sign in once: what answers there. BrokerUnavailable, or ConfigurationError when it answers and does not let us in."""
    with said_plainly(address):
        if _is_redis(address):
            with _redis(address) as client:
                client.ping()
                return f"Redis at {place_of(address)}"
        logging.getLogger("pika").setLevel(logging.CRITICAL)
        pika.BlockingConnection(_rabbit(address)).close()
    return f"RabbitMQ at {place_of(address)}"


@contextmanager
def said_plainly(address: str) -> Iterator[None]:
    """What the libraries raise of the broker comes out as ours."""
    place = place_of(address)
    try:
        yield
    except (redis.RedisError, DramatiqError, AMQPError, OSError) as error:
        if isinstance(error, DramatiqError) and error.args and isinstance(error.args[0], Exception):
            error = error.args[0]  # it wraps what it was told
        if isinstance(error, _NOT_OURS) or _closed_to_us(error):
            raise ConfigurationError(f"The broker at {place} does not let us in: {_first_line(error)}.") from None
        raise BrokerUnavailable(f"The broker at {place} does not answer: {_first_line(error)}.") from None


def place_of(address: str) -> str:
    """Host and port as given, without user and password."""
    return urlsplit(address).netloc.rpartition("@")[2]


def _is_redis(address: str) -> bool:
    return urlsplit(address).scheme in ("redis", "rediss")


@contextmanager
def _read() -> Iterator[None]:
    """An address that is one, and asks for what its library does not know."""
    try:
        yield
    except (ValueError, TypeError):
        raise ConfigurationError("REGISTRE_BROKER_URL holds an option that cannot be read.") from None


@_read()
def _redis(address: str) -> redis.Redis:
    """Not tried again by the client, which would only make every caller wait; whoever calls comes back by itself."""
    return redis.Redis.from_url(
        address, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
    )


@_read()
def _rabbit(address: str) -> pika.URLParameters:
    parameters = pika.URLParameters(address)
    parameters.socket_timeout = parameters.stack_timeout = parameters.blocked_connection_timeout = ANSWER_SECONDS
    return parameters


def _closed_to_us(error: Exception) -> bool:
    refusals = (pika.exceptions.AuthenticationError, pika.exceptions.ProbableAuthenticationError,
                pika.exceptions.ProbableAccessDeniedError)  # fmt: skip
    return isinstance(error, refusals) or getattr(error, "reply_code", None) in _CLOSED_TO_US


def _first_line(error: Exception) -> str:
    """RabbitMQ's client says nothing at all when it finds nobody."""
    return (str(error).strip() or "it takes no connection").splitlines()[0].rstrip(".")
