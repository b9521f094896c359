"""Gives a command a terminal, leaves it with `q` once it has drawn itself, and ends with its exit code: for the book's commands.

What goes on when its dashboard is left is stopped as a person stops it, with Ctrl-C.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

from tests.tui.terminal import Terminal

LEFT_SECONDS = 10
OTHER_SCREEN, DRAWN = "\x1b[?1049h", "─"


def main(command: list[str]) -> int:
    terminal = Terminal(command, os.environ, (132, 30))
    try:
        terminal.until_shown(OTHER_SCREEN, DRAWN)
        terminal.press("q")
        with suppress(subprocess.TimeoutExpired):
            return terminal.process.wait(LEFT_SECONDS)
        terminal.press("\x03")
        return terminal.code()
    finally:
        terminal.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
