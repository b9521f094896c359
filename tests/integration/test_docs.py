"""Every command of the README and of the book is run, page by page, as whoever follows it to the letter would run them.

A page is one shell: what a block sets, the next one has. A block that needs something no test has says so in a comment before it
(`<!-- run: on the real site -->`); those are counted. `make` only says what it would do: the suite is no place to build one.
"""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from registre.database.server import EmbeddedServer
from tests.processes import environment

ROOT = Path(__file__).parents[2]
NOT_HERE = {
    "on the real site": 3,
    "on another machine": 2,
    "when a form has changed": 1,
    "when an order is in doubt": 2,
    "on your own database": 3,
    "by tests/integration/test_up.py": 1,
}
"""Why a block is not run, and how many are not."""
PAGE_SECONDS = 300
"""On a machine with other work; some twenty without."""
STOPS_THE_DATABASE = {"operations.md"}
HARMLESS = {"host", "twin-ledger.jsonl"}
"""Files of a home that hold nothing of anybody's: the host's name, and the bill of a twin, on which all is made up."""

_BLOCK = re.compile(
    r"^(?P<margin> *)(?:<!-- run: (?P<why>[^>]+) -->\n *)?```(?P<kind>\w+)\n(?P<text>.*?)\n *```$",
    re.MULTILINE | re.DOTALL,
)

BEFORE = """
set -euo pipefail
trap 'echo "failed: line $LINENO: $BASH_COMMAND"' ERR
PATH={bin}:$PATH
cd {folder}
git() {{ if [ -e {root}/.git ]; then command git "$@"; else mkdir registre; fi; }}
python() {{ (cd {root} && {python} "$@"); }}
make() {{ command make -n -C {root} "$@" > /dev/null; mkdir -p .venv/bin; : > .venv/bin/activate; }}
"""
COMMAND = """#!/bin/bash
case "$*" in
    *--screenshot*) ;;
    tui* | replay* | up*--tui*) PYTHONPATH={root} exec {python} -m tests.tui.in_terminal {registre} "$@";;
esac
exec {registre} "$@"
"""
"""What is called `registre` there: the command itself, with a terminal around what needs one."""
BROWSER = "#!/bin/bash\nexec {python} -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1])' \"$1\"\n"
"""What opens pages there."""


@dataclass(frozen=True, slots=True)
class Block:
    """Commands of a page; `why` they are not run, if they are not."""

    page: str
    text: str
    why: str | None


def blocks(page: Path) -> Iterator[Block]:
    for found in _BLOCK.finditer(page.read_text("utf-8")):
        if found["kind"] == "sh":
            text = re.sub(rf"^{found['margin']}", "", found["text"], flags=re.MULTILINE)
            yield Block(page.name, text, found["why"])


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
EVERY = [block for page in PAGES for block in blocks(page)]


def blocks_of(page: str) -> list[Block]:
    """Those that are run."""
    return [block for block in EVERY if block.page == page and not block.why]


def test_few_commands_are_not_run_and_each_says_why() -> None:
    reasons = [block.why for block in EVERY if block.why]
    assert {why: reasons.count(why) for why in reasons} == NOT_HERE
    assert len(EVERY) > 3 * len(reasons)


@pytest.fixture(scope="module")
def public_folder() -> Iterator[Path]:
    """Where every page is followed, so that all have one home. Not below tmp_path, which is closed to the user that a root's
    PostgreSQL runs as."""
    folder = Path(tempfile.mkdtemp(prefix="registre-docs-"))
    folder.chmod(0o711)
    yield folder
    end_what_runs_in(folder)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database_kept_up(home: Path) -> Iterator[None]:
    """As a worker keeps it up: a command alone would start it, and stop it again."""
    with EmbeddedServer(home) as server:
        server.start()
        yield


def end_what_runs_in(folder: Path) -> None:
    """Whatever a page that failed half-way left running; a page that did not has stopped it all."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("DOCS_FOLDER") == str(folder):
                process.send_signal(signal.SIGKILL)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def script_of(page: str, folder: Path) -> str:
    """All that is run of a page, each block told before it begins."""
    bin_folder = folder / "bin"
    bin_folder.mkdir(exist_ok=True)
    words = {"bin": bin_folder, "folder": folder, "root": ROOT, "python": sys.executable}
    quoted = {name: shlex.quote(str(word)) for name, word in words.items()}
    for name, text in {"registre": COMMAND, "browser": BROWSER}.items():
        command = bin_folder / name
        command.write_text(text.format(registre=f"{quoted['python']} -m registre.cli", **quoted), "utf-8")
        command.chmod(0o755)
    parts = [BEFORE.format(**quoted)]
    for number, block in enumerate(blocks_of(page), 1):
        parts += [f"echo '--- block {number}'", block.text]
    ports = {"127.0.0.1:3000": "127.0.0.1:$REGISTRE_API_PORT", "8601": str(free_port())}
    text = "\n".join(parts)
    for written, here in ports.items():
        text = text.replace(written, here)
    return text


@pytest.mark.timeout(PAGE_SECONDS + 30)
@pytest.mark.parametrize("page", sorted({block.page for block in EVERY if not block.why}))
def test_a_page_can_be_followed_to_the_letter(page: str, public_folder: Path) -> None:
    if missing := missing_here(page):
        pytest.skip(f"{page} uses {missing}, which this machine has not")
    folder, home = public_folder, public_folder / "home"
    script, log = folder / f"{page}.sh", folder / f"{page}.log"
    script.write_text(script_of(page, folder), "utf-8")
    settings = {"DOCS_FOLDER": str(folder), "REGISTRE_API_PORT": str(free_port()), "LC_ALL": "C.UTF-8"}
    person = {"URL": str(ROOT), "USER": "marie", "BROWSER": f"{folder}/bin/browser %s"}
    with ExitStack() as stack:
        if page not in STOPS_THE_DATABASE:
            stack.enter_context(database_kept_up(home))
        with log.open("wb") as out:
            shell = subprocess.Popen(
                ["bash", str(script)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment(home, **settings, **person),
                cwd=folder,
                start_new_session=True,
            )
        with suppress(subprocess.TimeoutExpired):
            shell.wait(PAGE_SECONDS)
        code = shell.poll()
        if code != 0:
            end_what_runs_in(folder)
    said = log.read_text("utf-8", "replace")
    assert code == 0, f"{page}: {'it did not come to its end' if code is None else f'exit {code}'}\n{said[-3000:]}"
    assert "Traceback" not in said, said[-3000:]
    for spool in folder.glob("*/spool"):
        assert open_to_others(spool.parent) == []


def missing_here(page: str) -> str:
    """A program, none of ours, that a page's commands need and this machine has not; '' when all is there."""
    words = set(re.findall(r"\w+", "\n".join(block.text for block in blocks_of(page))))
    for name in ("bash", "curl", "tar"):
        if (name in words or name == "bash") and shutil.which(name) is None:
            return name
    if "curl" in words:
        known = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, check=False).stdout
        if "--json" not in known:
            return "a curl of 7.82 or later"
    return ""


def open_to_others(home: Path) -> list[str]:
    """What another user of this machine could read or list below a home, whose own name they may know."""
    if not home.stat().st_mode & stat.S_IXOTH:
        return []
    found, places = [], [home]
    if home.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        found.append(str(home))
    while places:
        for path in places.pop().iterdir():
            if path.is_symlink() or path.is_socket() or path.name in HARMLESS:
                continue
            mode = path.stat().st_mode
            if path.is_dir() and mode & stat.S_IXOTH:
                places.append(path)
            if mode & (stat.S_IROTH | stat.S_IWOTH):
                found.append(str(path))
    return found


def test_a_newcomer_s_walk_is_in_the_readme_in_its_order() -> None:
    walk = "\n".join(block.text for block in blocks_of("README.md"))
    steps = [
        "git clone",
        "make demo",
        "registre up --twin",
        "registre submit",
        "registre tui",
        "webbrowser",
        "kill -9",
        "registre up --twin",
        "Complété",
    ]
    at = 0
    for step in steps:
        at = walk.find(step, at)
        assert at >= 0, f"'{step}' is not in the README after the steps before it"
        at += len(step)
