"""The set-up of a checkout: what it hands to uv, when it does nothing, and how it says that it cannot."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "bootstrap.py"


@pytest.fixture
def bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path, bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[str]]:
    """A checkout whose environment and packages are written down instead of made."""
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).write_text(name)
    locks = {"runtime": tmp_path / "requirements.lock", "dev": tmp_path / "requirements-dev.lock"}
    monkeypatch.setattr(bootstrap, "LOCKS", locks)
    done: list[str] = []

    def make(here: object) -> None:
        done.append("environment")
        (tmp_path / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
        python = tmp_path / ".venv" / "bin" / "python"
        python.unlink(missing_ok=True)
        python.touch()
        (tmp_path / ".venv" / "pyvenv.cfg").write_text("version = 3.11.7\n")

    monkeypatch.setattr(bootstrap, "make_environment", make)
    monkeypatch.setattr(bootstrap, "install", lambda here, flavour: done.append(flavour))
    return tmp_path, done


def set_up(bootstrap: ModuleType, root: Path, *, dev: bool = False) -> None:
    bootstrap.set_up(bootstrap.Environment(root), dev=dev, browser=False)


def test_nothing_is_done_twice(bootstrap: ModuleType, checkout: tuple[Path, list[str]]) -> None:
    root, done = checkout
    set_up(bootstrap, root)
    set_up(bootstrap, root)
    assert done == ["environment", "runtime"]


def test_a_changed_lock_is_installed_into_the_same_environment(
    bootstrap: ModuleType, checkout: tuple[Path, list[str]]
) -> None:
    root, done = checkout
    set_up(bootstrap, root)
    (root / "requirements.lock").write_text("another")
    set_up(bootstrap, root)
    assert done == ["environment", "runtime", "runtime"]


def test_a_demo_does_not_take_the_development_packages_away(
    bootstrap: ModuleType, checkout: tuple[Path, list[str]]
) -> None:
    root, done = checkout
    set_up(bootstrap, root)
    set_up(bootstrap, root, dev=True)
    set_up(bootstrap, root)
    (root / "requirements.lock").write_text("another")
    set_up(bootstrap, root)
    assert done == ["environment", "runtime", "dev", "dev"]


def test_an_interrupted_installation_is_begun_again(
    bootstrap: ModuleType, checkout: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, done = checkout

    def interrupted(here: object, flavour: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            set_up(bootstrap, root, dev=True)
    set_up(bootstrap, root)
    assert done == ["environment", "dev"]


def test_a_moved_checkout_gets_a_new_environment(bootstrap: ModuleType, checkout: tuple[Path, list[str]]) -> None:
    root, done = checkout
    set_up(bootstrap, root)
    here = bootstrap.Environment(root)
    here.save({**here.state(), "folder": "/elsewhere"})
    set_up(bootstrap, root)
    assert done == ["environment", "runtime", "environment", "runtime"]


def test_an_environment_whose_python_is_gone_is_made_again(
    bootstrap: ModuleType, checkout: tuple[Path, list[str]]
) -> None:
    root, done = checkout
    set_up(bootstrap, root)
    python = root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    set_up(bootstrap, root)
    assert done[2:] == ["environment", "runtime"]


def test_uv_is_given_the_indexes_that_pip_names(bootstrap: ModuleType) -> None:
    settings = {
        "index-url": "https://mirror.example/simple",
        "extra-index-url": "file:///opt/local\nhttps://more.example/simple",
        "cert": "/etc/own.pem",
    }
    assert bootstrap.uv_environment(settings, {"HOME": "/x"}) == {
        "HOME": "/x",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://more.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "SSL_CERT_FILE": "/etc/own.pem",
    }


def test_uv_keeps_what_it_was_told_itself_and_gets_nothing_from_an_unconfigured_pip(bootstrap: ModuleType) -> None:
    own = {"UV_INDEX_URL": "https://own.example/simple"}
    assert bootstrap.uv_environment({"index-url": "https://mirror.example/simple"}, own) == own
    assert bootstrap.uv_environment({"index-url": "file:///opt/local", "find-links": "/opt/wheels"}, {}) == {}


def test_pips_variables_win_over_its_files(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [
        ":env:.index-url='https://env.example'",
        "global.cert='/c.pem'",
        "global.index-url='https://file.example'",
    ]
    monkeypatch.setattr(bootstrap, "run", lambda *_: (0, listed))
    found = bootstrap.pip_settings(bootstrap.Environment(Path("/nowhere")))
    assert found == {"index-url": "https://env.example", "cert": "/c.pem"}


def test_pip_does_the_work_when_uv_cannot(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[str] = []

    def run(command: list[object], *_: object) -> tuple[int, list[str]]:
        commands.append(" ".join(str(each) for each in command))
        return (1, ["ERROR: no uv for this platform"]) if "--target" in command else (0, [])

    monkeypatch.setattr(bootstrap, "run", run)
    bootstrap.install(bootstrap.Environment(tmp_path), "runtime")
    assert "--require-hashes -r" in commands[-2]
    assert "--no-deps --editable" in commands[-1]


def test_packages_that_cannot_come_are_one_sentence_and_try_later(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = [*(f"line {n}" for n in range(30)), "ERROR: no route to the index"]
    monkeypatch.setattr(bootstrap, "run", lambda command, *_: (int("--require-hashes" in command), lines))
    with pytest.raises(bootstrap.SetupFailed, match=r"^the packages could not be installed") as raised:
        bootstrap.install_by_pip(bootstrap.Environment(tmp_path), tmp_path / "requirements.lock")
    assert raised.value.code == 75
    shown = capfd.readouterr().err
    assert "no route to the index" in shown
    assert "line 5\n" not in shown, "the last lines only"


def test_a_python_without_venv_names_the_package_to_install(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    with pytest.raises(bootstrap.SetupFailed, match=package) as raised:
        bootstrap.require_ensurepip()
    assert raised.value.code == 78


def test_root_on_debian_installs_what_venv_needs(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    apt = tmp_path / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$*" >> {log}\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    real = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: real(name) if log.exists() else None)
    bootstrap.require_ensurepip()
    assert f"--no-install-recommends python{sys.version_info[0]}.{sys.version_info[1]}-venv" in log.read_text()


def test_a_command_that_hangs_is_ended_with_all_it_started(bootstrap: ModuleType) -> None:
    # a child left alive would hold the output open, and this would wait for it past the test's time limit
    code, lines = bootstrap.run(["/bin/sh", "-c", "sleep 600 & wait"], 0.3)
    assert code == 124
    assert lines == ["it did not end within 0 s"]


def test_the_script_runs_under_a_bare_python(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, "--help"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": os.defpath},
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert "--browser" in shown.stdout


def test_the_lock_files_pin_by_hash_and_name_no_index() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (SCRIPT.parents[1] / name).read_text(encoding="utf-8")
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert pins
        assert all("==" in line and line.endswith("\\") for line in pins)
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text
        assert "--index" not in text
