"""Makes the checkout ready to run: `.venv` with the locked packages, the project in it, and a Chromium if asked.

Invariant: nothing is done when nothing changed (`.venv/registre.json` says for what the last set-up was made), and
nothing is installed to run whose hash is not in a lock file; the index is the one that pip here is configured for.
Runs under a bare python3, standard library only; it must at least start under old ones, to say that they are too old.
"""

import argparse
import ast
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

# here and not in `main`: what follows is already not Python for an old one (3.6 is the oldest that comes this far)
if sys.version_info < (3, 11):  # noqa: UP036
    sys.stderr.write(
        f"setup: Python 3.11 or newer is needed and this is {sys.version.split()[0]}: "
        "install it, or name it as in `make demo PYTHON=python3.11`.\n"
    )
    sys.exit(78)

OLDEST = (3, 11)
UV = "uv==0.13.9"  # the installer is pinned by number; what it installs is pinned by hash
ROOT = Path(__file__).resolve().parents[1]
LOCKS = {"runtime": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
APT_SECONDS = 600
INSTALL_SECONDS = 1800
TRY_LATER, CONFIGURATION = 75, 78


Command = list[str | Path]


class SetupFailed(Exception):
    """One sentence for a person, and the exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class Environment:
    """The checkout's `.venv` and what is known about it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.uv = (
            self.folder / "uv" / "bin" / "uv"
        )  # apart: `uv pip sync` removes what is not in the lock, itself included
        self.stamp = self.folder / "registre.json"

    def state(self) -> dict[str, str]:
        try:
            kept = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def save(self, state: dict[str, str]) -> None:
        fresh = self.stamp.with_suffix(".new")
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.replace(self.stamp)

    def version(self) -> tuple[int, ...]:
        """The minor version the environment was made with, (0, 0) when there is none that could run."""
        if not self.python.exists():  # follows the link: false as well when the Python it was made of is gone
            return (0, 0)
        with contextlib.suppress(OSError, ValueError):
            for line in (self.folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition("=")
                if name.strip() in ("version", "version_info"):
                    return tuple(int(part) for part in value.strip().split(".")[:2])
        return (0, 0)


def say(line: str) -> None:
    print(f"setup: {line}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path], seconds: float, environment: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    """Run to the end with no terminal; returns the exit code and the lines it said. Nothing it started survives."""
    # its own group, so that a download that cannot come is ended with all its children
    process = subprocess.Popen(
        [str(each) for each in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return 124, [*text_lines(output), f"it did not end within {seconds:.0f} s"]
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode, text_lines(output)


def text_lines(output: bytes) -> list[str]:
    return [line for line in output.decode("utf-8", "replace").splitlines() if line.strip()]


def fingerprint(root: Path, locks: Iterable[Path]) -> str:
    """Changes with whatever the installed environment was made from; the folder is in it, for scripts name it."""
    digest = hashlib.sha256(str(root).encode())
    for path in [*locks, root / "pyproject.toml", Path(__file__).resolve()]:
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


# ---- the virtual environment


def require_ensurepip() -> None:
    """Debian ships venv without what it needs; root can be given it, others are told."""
    if importlib.util.find_spec("ensurepip") is not None:
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    sentence = f"this Python cannot make virtual environments: install the package {package} (or python3-venv)"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupFailed(sentence + ".", CONFIGURATION)
    say(f"installing {package} with apt-get")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ["-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::http::Timeout=30"]
    run(["apt-get", *options, "update", "-qq"], APT_SECONDS, environment)
    command = ["apt-get", *options, "install", "-y", "-qq", "--no-install-recommends", package]
    code, lines = run(command, APT_SECONDS, environment)
    importlib.invalidate_caches()
    if code != 0 or importlib.util.find_spec("ensurepip") is None:
        raise SetupFailed(f"{sentence}; apt-get could not ({lines[-1] if lines else code}).", CONFIGURATION)


def make_environment(here: Environment) -> None:
    require_ensurepip()
    say(f"making {here.folder} with Python {sys.version.split()[0]}")
    code, lines = run([sys.executable, "-m", "venv", "--clear", here.folder], INSTALL_SECONDS)
    if code != 0:
        show(lines)
        raise SetupFailed(f"the virtual environment {here.folder} could not be made.", CONFIGURATION)


def require_pip(here: Environment) -> None:
    if run([here.python, "-m", "pip", "--version"], INSTALL_SECONDS)[0] == 0:
        return
    code, lines = run([here.python, "-m", "ensurepip"], INSTALL_SECONDS)
    if code != 0:
        show(lines)
        raise SetupFailed(f"pip could not be put into {here.folder}.", CONFIGURATION)


# ---- the packages


def pip_environment() -> dict[str, str]:
    # a person's own `user = true` or `target` in pip's configuration would put packages elsewhere
    return {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def pip_settings(here: Environment) -> dict[str, str]:
    """What pip is configured for on this machine, its environment variables first, then its files."""
    code, lines = run([here.python, "-m", "pip", "config", "list"], INSTALL_SECONDS, pip_environment())
    found = {}
    if code == 0:
        # weakest first, so that the stronger one overwrites it
        for section in ("global.", "install.", ":env:."):
            for line in lines:
                name, equals, value = line.partition("=")
                if equals and name.startswith(section):
                    with contextlib.suppress(ValueError, SyntaxError):
                        found[name[len(section) :]] = str(ast.literal_eval(value))
    return found


def uv_environment(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """uv does not read pip's configuration: the same index, certificates and proxy, where pip names them explicitly.

    What uv was told by its own variables stays. Only http(s) indexes can be handed over.
    """
    given = {}
    web = ("https://", "http://")
    index = settings.get("index-url", "")
    if index.startswith(web) and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(environment):
        given["UV_DEFAULT_INDEX"] = index
    extra = [each for each in settings.get("extra-index-url", "").split() if each.startswith(web)]
    if extra and not {"UV_INDEX", "UV_EXTRA_INDEX_URL"} & set(environment):
        given["UV_INDEX"] = " ".join(extra)
        given.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")  # as pip does; the hashes decide what is let in
    if settings.get("cert"):
        given["SSL_CERT_FILE"] = settings["cert"]
    if settings.get("proxy"):
        given["ALL_PROXY"] = settings["proxy"]
    return {**given, **environment}


def install(here: Environment, flavour: str) -> None:
    """Exactly the locked packages, and the project itself in editable form; by uv, or by pip where uv cannot."""
    lock = LOCKS[flavour]
    require_pip(here)
    settings = pip_settings(here)
    say(f"installing the packages of {lock.name}")
    if not install_by_uv(here, lock, uv_environment(settings, os.environ)):
        install_by_pip(here, lock)


def install_by_uv(here: Environment, lock: Path, environment: Mapping[str, str]) -> bool:
    if not here.uv.exists() or run([here.uv, "--version"], INSTALL_SECONDS)[1][:1] != [UV.replace("==", " ")]:
        shutil.rmtree(here.folder / "uv", ignore_errors=True)
        command: Command = [here.python, "-m", "pip", "install", "-q", "--target", here.folder / "uv", UV]
        code, lines = run(command, INSTALL_SECONDS, pip_environment())
        if code != 0:
            say("uv could not be had, so pip does the work: " + last(lines))
            return False
    uv: Command = [here.uv, "pip"]
    target: Command = ["--quiet", "--python", here.python]
    for step in (
        [*uv, "sync", *target, "--require-hashes", lock],
        [*uv, "install", *target, "--no-deps", "--editable", here.root],
    ):
        code, lines = run(step, INSTALL_SECONDS, environment)
        if code != 0:
            say("uv did not manage, so pip does the work: " + last(lines))
            return False
    return True


def install_by_pip(here: Environment, lock: Path) -> None:
    require_pip(here)
    pip: Command = [here.python, "-m", "pip", "install", "-q"]
    for step in ([*pip, "--require-hashes", "-r", lock], [*pip, "--no-deps", "--editable", here.root]):
        code, lines = run(step, INSTALL_SECONDS, pip_environment())
        if code != 0:
            show(lines)
            raise SetupFailed(
                "the packages could not be installed: see the lines above, and check the network and pip's index.",
                TRY_LATER,
            )


def show(lines: Sequence[str]) -> None:
    for line in lines[-8:]:
        print("  " + line, file=sys.stderr)


def last(lines: Sequence[str]) -> str:
    telling = [line.strip() for line in lines if "error" in line.lower()]
    return (telling or lines or ["it said nothing"])[-1].strip()


# ---- the browser


def ensure_browser(here: Environment, state: dict[str, str]) -> None:
    """Runs the project's own search, which may install one; its answer is kept until that file is gone."""
    kept = state.get("browser", "")
    if kept and os.access(kept, os.X_OK) and not os.environ.get("REGISTRE_CHROMIUM"):
        return
    # not by `run`: it prints what it does, and bounds each of its steps itself
    done = subprocess.run(
        [str(here.python), "-m", "registre.site.chromium"],
        cwd=str(here.root),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode != 0:
        raise SetupFailed("there is no Chromium to work with.", done.returncode)
    state["browser"] = done.stdout.decode().strip()
    here.save(state)
    say("Chromium is " + state["browser"])


def set_up(here: Environment, *, dev: bool, browser: bool) -> None:
    state = here.state()
    # the development packages contain the others, and a demo must not take a developer's tools away
    flavour = "dev" if dev or state.get("flavour") == "dev" else "runtime"
    wanted = fingerprint(here.root, LOCKS.values())
    usable = here.version() >= OLDEST and state.get("folder", str(here.root)) == str(here.root)
    if not usable or state.get("fingerprint") != wanted or state.get("flavour") != flavour:
        if not usable:
            make_environment(here)
        # a set-up that is interrupted leaves no fingerprint, and begins again; the flavour is remembered
        state = {"flavour": flavour, "folder": str(here.root), "browser": state.get("browser", "")}
        here.save(state)
        install(here, flavour)
        state["fingerprint"] = wanted
        here.save(state)
        say("ready")
    if browser:
        ensure_browser(here, state)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Make this checkout ready to run.")
    parser.add_argument("--dev", action="store_true", help="the development packages too")
    parser.add_argument("--browser", action="store_true", help="find or install a Chromium")
    chosen = parser.parse_args(arguments)
    with Path(__file__).open("rb") as own:
        fcntl.flock(own, fcntl.LOCK_EX)  # two makes at once: the second finds the work done
        try:
            set_up(Environment(ROOT), dev=chosen.dev, browser=chosen.browser)
        except KeyboardInterrupt:
            say("interrupted; the next run begins again where it must")
            return 130
        except SetupFailed as error:
            say(str(error))
            return error.code
        except OSError as error:
            say(f"{error.filename or ROOT}: {error.strerror or error}.")
            return CONFIGURATION
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
