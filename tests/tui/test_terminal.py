"""`registre tui` as a process in a real terminal, and what it says where it cannot be opened."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from registre.cli import exit_code, serve, tui
from registre.errors import ConfigurationError, InvalidInput, Unavailable
from registre.serving import Server, listen, origin
from tests.command import ENTRY, in_this_process, registre
from tests.processes import environment
from tests.tui.fake import KEY, FakeApi
from tests.tui.terminal import Terminal
from tests.waiting import SECONDS, until


def served(api: FakeApi) -> Any:
    """The set API as an ASGI application."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        url = f"http://registre.test{scope['path']}?{scope['query_string'].decode()}"
        answer = await api._answer(httpx.Request(scope["method"], url, headers=scope["headers"], content=body))
        kept = [(name, value) for name, value in answer.headers.raw if name.lower() == b"content-type"]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
        async for part in answer.stream:  # type: ignore[union-attr]
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


@contextmanager
def serving(api: FakeApi) -> Iterator[tuple[str, Callable[[], None]]]:
    """Its address, and what ends it."""
    listening, ready = listen("127.0.0.1", 0, "The API"), threading.Event()
    server = Server(served(api), listening, ready=ready.set)
    thread = threading.Thread(target=server.run_here, daemon=True)
    thread.start()
    assert ready.wait(SECONDS)

    def die() -> None:
        api.is_down = True
        for stream, loop in zip(api._streams, api.loops, strict=True):
            with suppress(RuntimeError):  # its loop has ended before
                loop.call_soon_threadsafe(stream.said.put_nowait, None)
        server.force_exit = True
        server.stop()
        thread.join(SECONDS)

    try:
        yield origin("127.0.0.1", listening), die
    finally:
        die()


@contextmanager
def at(address: str, home: Path, size: tuple[int, int] = (100, 30)) -> Iterator[Terminal]:
    terminal = Terminal([*ENTRY, "tui", "--url", address], environment(home, REGISTRE_API_KEY=KEY), size)
    try:
        yield terminal
    finally:
        terminal.close()


def test_it_lives_through_a_small_terminal_and_a_dying_server_and_leaves_all_as_it_was(
    api: FakeApi, tmp_path: Path
) -> None:
    with serving(api.busy()) as (address, die), at(address, tmp_path, (40, 10)) as terminal:
        terminal.until_shown("Ce terminal a 40 colonnes")
        terminal.resize(100, 30)
        terminal.until_shown("99T0001", "en direct")
        die()
        terminal.until_shown("Coupé")
        terminal.press("q")
        assert terminal.code() == 0
        until(terminal.is_as_before, "the terminal is not as it was")
        assert "Traceback" not in terminal.text()
        assert KEY not in terminal.text()


def test_one_that_is_ended_gives_the_terminal_back(api: FakeApi, tmp_path: Path) -> None:
    with serving(api.busy()) as (address, _), at(address, tmp_path) as terminal:
        terminal.until_shown("99T0001")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.code() == 0
        until(terminal.is_as_before, "the terminal is not as it was")


def test_without_a_terminal_it_says_so(tmp_path: Path) -> None:
    said = registre(tmp_path, "tui")
    assert said.code == 2
    assert "the dashboard needs one on both sides" in said.sentence


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("tui", "--url", "nonsense"), ConfigurationError, "is no address of an API"),
        (("tui", "--url", "http://127.0.0.1:9"), Unavailable, "does not answer; is it running"),
        (("tui", "--key", "clé"), ConfigurationError, "The key of the API is none"),
        (("tui", "--key", "a", "--key-file", "b"), InvalidInput, "not both"),
        (("tui", "--key-file", "/nonexistent"), ConfigurationError, "cannot be read from /nonexistent"),
        (("tui", "--screenshot", "x.svg", "--size", "wide"), InvalidInput, "is no size"),
        (("tui", "--screenshot", "x.svg", "--view", "moon"), InvalidInput, "'moon' is none"),
        (("replay",), ConfigurationError, "Nothing is recorded in"),
        (("up", "--tui", "--no-api"), InvalidInput, "the dashboard asks the API"),
    ],
)
def test_what_a_person_must_mend_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], kind: type[Exception], words: str
) -> None:
    for module in (tui, serve):
        monkeypatch.setattr(module, "needs_terminal", lambda: None)
    result = in_this_process(monkeypatch, "postgresql://nowhere", tmp_path)(*arguments)
    assert isinstance(result.exception, kind)
    assert words in str(result.exception)
    assert exit_code(result.exception) in (2, 75, 78)  # type: ignore[arg-type]


def test_a_picture_is_drawn_without_a_terminal(api: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(api.busy()) as (address, _):
        run = in_this_process(monkeypatch, "postgresql://nowhere", tmp_path, REGISTRE_API_KEY=KEY)
        for view, words in (("fleet", "99T0001"), ("queue", "2&#160;784&#160;007")):
            result = run("tui", "--url", address, "--screenshot", str(tmp_path / "x.svg"), "--view", view, "--english")
            assert result.exit_code == 0, result.exception
            assert words in (tmp_path / "x.svg").read_text("utf-8")
