"""The key that the first start makes by itself, on the embedded database."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from tests.command import ENTRY, registre
from tests.processes import environment


def test_a_start_that_fails_does_not_use_up_the_first_key(public_home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = registre(public_home, "api", "--port", str(taken.getsockname()[1]))
    assert said.code == 75
    assert "cannot listen" in said.sentence
    assert registre(public_home, "keys", "list", "--json").json == []
    with subprocess.Popen(
        [*ENTRY, "api", "--port", "0", "--stop-with-stdin"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(public_home),
        cwd="/",
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(2)]
        process.stdin.close()
        assert process.wait(30) == 0
    assert "keep it: registre_" in lines[0]
    assert "api at " in lines[1]
