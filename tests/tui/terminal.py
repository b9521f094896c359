"""A pseudo-terminal as a person sits at it: a program in it, what it wrote, and how it left the terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Thread

from tests.waiting import until


class Terminal:
    """Runs `command` with both sides on the terminal. To be closed."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], size: tuple[int, int] = (80, 24)) -> None:
        self._ours, theirs = pty.openpty()
        self._written = bytearray()
        self.resize(*size)
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs  # kept open, so that its state can be asked for when the program has ended
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            # The size is the terminal's, whatever whoever runs the tests says of theirs.
            env={
                **{name: value for name, value in env.items() if name not in ("COLUMNS", "LINES")},
                "TERM": "xterm-256color",
                "LC_ALL": "C.UTF-8",
                "PYTHONUTF8": "1",
            },
            cwd="/",
            start_new_session=True,
        )
        Thread(target=self._read, name="terminal", daemon=True).start()

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if hasattr(self, "process"):
            os.killpg(self.process.pid, signal.SIGWINCH)

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def text(self) -> str:
        """Everything that was ever written, commands to the terminal included."""
        return self._written.decode(errors="replace").replace("\xa0", " ")

    def until_shown(self, *words: str) -> None:
        def shown() -> bool:
            text = self.text()
            assert self.process.poll() is None or all(word in text for word in words), text[-2000:]
            return all(word in text for word in words)

        try:
            until(shown, f"{words} did not come", 60)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.text()[-2000:]!r}") from None

    def code(self) -> int:
        return self.process.wait(60)

    def is_as_before(self) -> bool:
        """Its modes are those from before, and it is back from the other screen with its cursor shown."""
        text = self.text()
        left = text.rfind("\x1b[?1049l") > text.rfind("\x1b[?1049h") and text.rfind("\x1b[?25h") > text.rfind(
            "\x1b[?25l"
        )
        return left and termios.tcgetattr(self._theirs) == self.before

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        os.close(self._theirs)

    def _read(self) -> None:
        with suppress(OSError):
            while got := os.read(self._ours, 65536):
                self._written += got
        os.close(self._ours)
