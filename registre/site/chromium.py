"""Finds a Chromium on this machine, or gets one within a time limit.

Invariant: a path that leaves this module is a program that has just told its version; nothing here waits for ever.
Playwright is not imported: a machine without it can still be asked.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from registre.errors import ConfigurationError

SETTING = "REGISTRE_CHROMIUM"
# the headless shell first: it takes half the memory, and every PDF becomes a download in it
NAMES = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "headless_shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
)
LIBRARY_FOLDERS = (Path("/usr/lib/chromium"), Path("/usr/lib/chromium-browser"))
DEBIAN_MARK = Path("/etc/debian_version")
PACKAGES = ("chromium-headless-shell", "chromium")
APT_OPTIONS = (
    *("-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=1"),
    *("-o", "Acquire::http::Timeout=30", "-o", "Acquire::https::Timeout=30"),
)
PLAYWRIGHT_INSTALL = (sys.executable, "-m", "playwright", "install", "--only-shell", "chromium")
VERSION_SECONDS = 20.0
DOWNLOAD_SECONDS = 600.0
WHAT_TO_DO = f"install the package chromium-headless-shell or chromium, or name a Chromium in {SETTING}"


def find_chromium(setting: str | None) -> Path | None:
    """The first Chromium that works: the setting, the usual names on PATH, Playwright's own downloads; or None.

    Raises ConfigurationError when the setting names something else than a Chromium that runs.
    """
    if setting:
        named = Path(setting).expanduser()
        if not named.is_file():
            raise ConfigurationError(f"{SETTING} names {setting}, which does not exist: {WHAT_TO_DO}.")
        if not works(named):
            raise ConfigurationError(f"{SETTING} names {setting}, which does not run as a Chromium: {WHAT_TO_DO}.")
        return named.absolute()
    return next((each for each in (*on_the_path(), *downloaded_by_playwright()) if works(each)), None)


def ensure_chromium(
    setting: str | None, *, say: Callable[[str], None], download_seconds: float = DOWNLOAD_SECONDS
) -> Path:
    """A Chromium that works, installed now if it must be; `say` hears a line before each step that takes time.

    `download_seconds` bounds each way of installing. Raises ConfigurationError, with what to install, when all failed.
    """
    if found := find_chromium(setting):
        return found
    said = ""
    if may_use_apt():
        say("Installing Chromium with apt-get, which happens once.")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "a"}
        run_within(download_seconds, ("apt-get", *APT_OPTIONS, "update", "-qq"), environment)
        for package in PACKAGES:
            command = ("apt-get", *APT_OPTIONS, "install", "-y", "-qq", "--no-install-recommends", package)
            _, said = run_within(download_seconds, command, environment)
            if found := find_chromium(None):
                return found
    say("Downloading Playwright's Chromium, which happens once.")
    _, said_last = run_within(download_seconds, PLAYWRIGHT_INSTALL, os.environ)
    if found := find_chromium(None):
        return found
    detail = f" ({shown})" if (shown := said_last or said) else ""
    raise ConfigurationError(f"No Chromium was found and none could be installed{detail}: {WHAT_TO_DO}.")


def works(path: Path) -> bool:
    """Whether the program runs on this machine and says it is a Chromium; missing libraries and stubs do not."""
    code, said = run_within(VERSION_SECONDS, (str(path), "--version"), os.environ)
    return code == 0 and re.search(r"chrom", said, re.IGNORECASE) is not None


def on_the_path() -> Iterator[Path]:
    for name in NAMES:
        found = shutil.which(name)
        # the snap's browser is confined: it sees neither our profile nor our downloads
        if found is not None and not found.startswith("/snap/"):
            yield unwrapped(Path(found))


def unwrapped(path: Path) -> Path:
    """The program behind Debian's script of the same name.

    The scripts add options and keys of their own, and the headless shell's stays between us and the browser's signals.
    """
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(2) == b"#!":
            for folder in LIBRARY_FOLDERS:
                if os.access(folder / path.name, os.X_OK):
                    return folder / path.name
    return path.absolute()


def downloaded_by_playwright() -> Iterator[Path]:
    """The newest revision first; the headless shell before the full browser."""
    for browser, programs in (
        ("chromium_headless_shell", ("chrome-headless-shell", "headless_shell")),
        ("chromium", ("chrome",)),
    ):
        revisions = [each for folder in playwright_folders() for each in folder.glob(f"{browser}-*")]
        for revision in sorted(revisions, key=revision_number, reverse=True):
            for program in programs:
                yield from (each for each in revision.glob(f"chrome-*/{program}") if os.access(each, os.X_OK))


def playwright_folders() -> list[Path]:
    chosen = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    if chosen == "0":  # Playwright's word for "inside the package"
        return list(Path(sys.prefix).glob("lib/python*/site-packages/playwright/driver/package/.local-browsers"))
    if chosen:
        return [Path(chosen)]
    if sys.platform == "darwin":
        return [Path.home() / "Library/Caches/ms-playwright"]
    return [Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ms-playwright"]


def revision_number(folder: Path) -> int:
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


def may_use_apt() -> bool:
    return os.geteuid() == 0 and DEBIAN_MARK.exists() and shutil.which("apt-get") is not None


def run_within(seconds: float, command: Sequence[str], environment: Mapping[str, str]) -> tuple[int | None, str]:
    """Run a command and all it starts for at most `seconds`; its exit code, or None, and its last telling line."""
    with tempfile.TemporaryFile() as output:
        # a file and not a pipe: a grandchild that keeps a pipe open would make us wait for it
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            return None, error.strerror or str(error)
        code: int | None = None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None, f"{Path(command[0]).name} did not end within {seconds:.0f} s"
        finally:
            end_group(process)
        output.seek(0)
        lines = [line.strip() for line in output.read().decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"(?:E:|Error|Failed)", line)]
    return code, (telling or lines or [""])[-1].rstrip(".:")


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End what the command left running, politely first: an installer killed half-way leaves its database locked."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def main() -> int:
    """Print the path of a Chromium that works, after installing one if it must be."""
    try:
        path = ensure_chromium(os.environ.get(SETTING) or None, say=lambda line: print(line, file=sys.stderr))  # noqa: T201
    except ConfigurationError as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        return 78
    print(path)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
