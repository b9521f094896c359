"""`registre tui`: the terminal dashboard, over the HTTP API of wherever the fleet runs."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from registre.access import Role, make_key
from registre.cli.options import current_user
from registre.errors import ConfigurationError, InvalidInput
from registre.language import Language
from registre.recording import read
from registre.settings import Settings, load_settings
from registre.wiring import Store

LOOK_EVERY_SECONDS = 0.1

UrlOption = Annotated[str | None, typer.Option(help="Address of the API; REGISTRE_API_URL, else this host's own.")]
EnglishFlag = Annotated[bool | None, typer.Option("--english/--french", help="Else what LANG says, French by default.")]
AsciiFlag = Annotated[bool, typer.Option("--ascii", help="No character beyond ASCII but those of names.")]


def tui(
    url: UrlOption = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="Its key. Others on this machine can read a command line: better REGISTRE_API_KEY or --key-file."
        ),
    ] = None,
    key_file: Annotated[Path | None, typer.Option(help="A file that holds the key and nothing else.")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Look, and change nothing.")] = False,
    english: EnglishFlag = None,
    ascii_only: AsciiFlag = False,
    screenshot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw one view into this SVG instead; no terminal is needed.")
    ] = None,
    view: Annotated[str, typer.Option(help="Which view, for --screenshot.")] = "fleet",
    size: Annotated[str, typer.Option(metavar="COLUMNSxROWS", help="How large, for --screenshot.")] = "150x36",
) -> None:
    """Watch and steer the fleet from a terminal. Leaving it stops nothing."""
    settings = load_settings(api_url=url)
    text = _key(key, key_file, settings)
    address = settings.api_url or f"http://{_reachable(settings.api_host)}:{settings.api_port}"
    if screenshot is not None:
        _draw(screenshot, address, text, view, _size(size), spoken(english), ascii_only=ascii_only)
        return
    needs_terminal()
    from tui.start import run  # where it is used: other commands must not wait for it

    asyncio.run(
        run(address, text, spoken=spoken(english), read_only=read_only, ascii_only=ascii_only or not speaks_unicode())
    )


def _draw(
    file: Path, address: str, key: str | None, view: str, size: tuple[int, int], spoken: Language, *, ascii_only: bool
) -> None:
    from tui.start import picture  # as above

    drawn = asyncio.run(picture(address, key, view=view, size=size, spoken=spoken, ascii_only=ascii_only))
    try:
        file.write_text(drawn, "utf-8")
    except OSError as error:
        raise InvalidInput("screenshot", f"{file} cannot be written: {error.strerror}.") from None


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{2,3})x(\d{2,3})", text)
    if found is None:
        raise InvalidInput("size", f"'{text[:20]}' is no size, such as 150x36.")
    return int(found[1]), int(found[2])


def needs_terminal() -> None:
    """InvalidInput where nothing can be drawn or no key be pressed."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InvalidInput(
            "terminal", "the dashboard needs one on both sides; for programs there is `registre … --json`."
        )


@dataclass(frozen=True, slots=True)
class Aside:
    """Our stderr, sent into a file; `terminal` is where it led before."""

    terminal: int

    def end(self) -> None:
        os.dup2(self.terminal, 2)


@dataclass(slots=True)
class FirstKey:
    """The key that a first start makes, kept back while the dashboard has the terminal. Said once."""

    text: str | None

    def say(self) -> None:
        if self.text is not None:
            typer.echo(f"first start: this key of an admin is shown once, keep it: {self.text}", err=True)
            typer.echo("`registre tui` takes it from REGISTRE_API_KEY, or with --key-file.", err=True)
        self.text = None


@contextmanager
def passing_key(store: Store) -> Iterator[str]:
    """A key of an admin for the dashboard of `up --tui`, which ends with it."""
    key, author = make_key(), current_user()
    store.keys.add(key, f"up --tui of {author}"[:100], Role.ADMIN, author)
    try:
        yield key.text
    finally:
        store.keys.revoke(key.prefix, author)


@contextmanager
def logging_to(file: Path) -> Iterator[Aside]:
    """Send what this process and its children write to stderr into `file`, until its `end`.

    The file is begun anew each time; ConfigurationError when it cannot be written.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from None
    terminal = os.dup(2)
    os.dup2(target, 2)
    os.close(target)

    aside = Aside(terminal)
    try:
        yield aside
    finally:
        aside.end()
        os.close(terminal)


def watch_until_left(address: str, key: str, first: FirstKey, aside: Aside, stop: Event) -> None:
    """The dashboard as a child that has the terminal, until it is left or `stop` is set. The key is in its environment alone."""
    if not address:
        typer.echo("The API did not start, so that the dashboard has nothing to ask; the log says why.", err=True)
        return
    command = [sys.executable, "-m", "registre.cli", "tui", "--url", address]
    with subprocess.Popen(command, stderr=aside.terminal, env={**os.environ, "REGISTRE_API_KEY": key}) as child:
        while child.poll() is None:
            if stop.wait(LOOK_EVERY_SECONDS):
                child.terminate()
                break
    aside.end()
    first.say()
    typer.echo("the dashboard is left, the fleet goes on; Ctrl-C stops it", err=True)


def spoken(english: bool | None) -> Language:
    """The flag, else the environment's; French is what an unknown one is served."""
    if english is not None:
        return Language.ENGLISH if english else Language.FRENCH
    set_to = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return Language.ENGLISH if set_to.startswith("en") else Language.FRENCH


def speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _key(given: str | None, file: Path | None, settings: Settings) -> str | None:
    if given is not None and file is not None:
        raise InvalidInput("key", "give --key or --key-file, not both.")
    if given is not None:
        return given.strip()
    if file is not None:
        try:
            return file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"The key cannot be read from {file}.") from None
    return settings.api_key.get_secret_value().strip() if settings.api_key else None


def _reachable(host: str) -> str:
    """An address on which one's own host is met, for one on which it listens."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - nothing is bound here
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104 - as above
    return f"[{host}]" if ":" in host else host


def replay(
    at: Annotated[
        str, typer.Argument(metavar="[HH:MM]", help="Where to begin, in Quebec's time; else at the beginning.")
    ] = "",
    english: EnglishFlag = None,
    ascii_only: AsciiFlag = False,
) -> None:
    """Watch the fleet of this home as it was, from what its worker recorded."""
    moments = read(load_settings().recorder_folder)
    needs_terminal()
    from tui.replay import Replay, instant_of  # where it is used: other commands must not wait for it

    begin = instant_of(at, moments) if at else None
    Replay(moments, begin, spoken=spoken(english), ascii_only=ascii_only or not speaks_unicode()).run()
