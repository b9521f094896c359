"""What `make proof` strikes with, and how it counts: the line, the blows, the watch over them."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from datetime import datetime

import pytest

from benchmarks.proof.blows import LASTS_SECONDS, Blow, Dealt, deal
from benchmarks.proof.line import Line, Relay
from benchmarks.proof.watch import RECOVERY_SECONDS, Struck, Watch

PATIENCE = 10.0


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says what it hears."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection:
                while heard := connection.recv(1000):
                    connection.sendall(heard)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def relay(echo: int) -> Iterator[Relay]:
    with Relay(echo, delay_seconds=0.05) as relay:
        yield relay


def connected(relay: Relay) -> socket.socket:
    return socket.create_connection(("127.0.0.1", relay.port), timeout=PATIENCE)


def test_a_whole_line_passes_what_is_said_and_a_slow_one_too(relay: Relay) -> None:
    with connected(relay) as line:
        line.sendall(b"one")
        assert line.recv(10) == b"one"
        relay.become(Line.SLOW)
        line.sendall(b"two")
        assert line.recv(10) == b"two"


def test_nothing_passes_a_silent_line_until_it_is_whole_again(relay: Relay) -> None:
    with connected(relay) as line:
        line.sendall(b"before")
        assert line.recv(10) == b"before"
        relay.become(Line.SILENT)
        line.sendall(b"later")
        line.settimeout(0.3)
        with pytest.raises(TimeoutError):
            line.recv(10)
        relay.become(Line.WHOLE)
        line.settimeout(PATIENCE)
        assert line.recv(10) == b"later"


def test_a_cut_line_ends_its_connections_and_takes_none(relay: Relay) -> None:
    with connected(relay) as line:
        line.sendall(b"before")
        assert line.recv(10) == b"before"
        relay.become(Line.CUT)
        assert _ended(line)
    with connected(relay) as line:
        assert _ended(line)
    relay.become(Line.WHOLE)
    with connected(relay) as line:
        line.sendall(b"after")
        assert line.recv(10) == b"after"


def _ended(line: socket.socket) -> bool:
    try:
        return line.recv(10) == b""
    except ConnectionError:
        return True


def test_each_blow_comes_once_alone_before_any_comes_again() -> None:
    kinds = len(Blow)
    dealt = list(itertools.islice(deal(seed=3), 4 * kinds))
    assert {each.blows for each in dealt[:kinds]} == {(blow,) for blow in Blow}
    assert any(len(each.blows) == 2 for each in dealt[kinds:])
    assert dealt == list(itertools.islice(deal(seed=3), 4 * kinds))
    assert dealt != list(itertools.islice(deal(seed=4), 4 * kinds))


def test_what_a_machine_cannot_do_is_never_dealt() -> None:
    without = frozenset({Blow.DISK_FULL})
    assert all(Blow.DISK_FULL not in each.blows for each in itertools.islice(deal(1, without), 200))


class Strikes:
    """Says what was struck and lifted, and when the host is itself again."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.recovered = False

    def strike(self, blow: Blow) -> None:
        self.said.append(f"strike {blow.name}")

    def lift(self, blow: Blow) -> None:
        self.said.append(f"lift {blow.name}")

    def is_recovered(self, blows: tuple[Blow, ...], since: datetime) -> bool:
        return self.recovered


@pytest.fixture
def strikes() -> Strikes:
    return Strikes()


def watch_over(strikes: Strikes, *dealt: Dealt) -> Watch:
    return Watch(itertools.cycle(dealt), strikes, strikes.is_recovered)


def test_a_blow_lasts_is_lifted_and_counts_until_the_host_is_itself_again(strikes: Strikes) -> None:
    lasts = LASTS_SECONDS[Blow.LINE_CUT]
    watch = watch_over(strikes, Dealt((Blow.LINE_CUT,), 3.0))
    watch.go_on(2.9, quiet=False)
    assert (strikes.said, watch.is_calm) == ([], True)
    watch.go_on(3.0, quiet=False)
    watch.go_on(3.0 + lasts - 0.1, quiet=False)
    assert strikes.said == ["strike LINE_CUT"]
    watch.go_on(3.0 + lasts, quiet=True)
    watch.go_on(3.0 + lasts + 4, quiet=True)
    assert (strikes.said, watch.is_calm) == (["strike LINE_CUT", "lift LINE_CUT"], False)
    strikes.recovered = True
    watch.go_on(3.0 + lasts + 5, quiet=True)
    assert watch.struck == [Struck((Blow.LINE_CUT,), 3.0 + lasts, 5.0)]
    watch.go_on(1000, quiet=True)
    assert watch.is_calm


def test_a_host_that_does_not_recover_is_told_apart_and_struck_again(strikes: Strikes) -> None:
    watch = watch_over(strikes, Dealt((Blow.WORKER, Blow.API), 0.0))
    for at in (0.0, 1.0, 1.0 + RECOVERY_SECONDS + 1, 1.0 + RECOVERY_SECONDS + 2):
        watch.go_on(at, quiet=False)
    assert watch.struck == [Struck((Blow.WORKER, Blow.API), 1.0, None)]
    assert strikes.said.count("strike WORKER") == 2
