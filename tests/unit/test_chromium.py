"""Which Chromium is taken, and what happens when there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from registre.errors import ConfigurationError
from registre.site import chromium


def program(path: Path, says: str = "Chromium 156.0", then: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{then}\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on it: no browser on PATH, no download, no apt, no network."""
    for folder in ("bin", "lib", "cache"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "cache"))
    monkeypatch.setattr(chromium, "LIBRARY_FOLDERS", (tmp_path / "lib",))
    monkeypatch.setattr(chromium, "DEBIAN_MARK", tmp_path / "debian_version")
    monkeypatch.setattr(chromium, "PLAYWRIGHT_INSTALL", ("/bin/sh", "-c", "echo 'Error: no route to the host'; exit 1"))
    return tmp_path


def debian(machine: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> Path:
    """Make the machine a Debian whose apt-get knows one package; returns the log of the apt-get calls."""
    (machine / "debian_version").write_text("12\n")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    browser = machine / "bin" / package
    program(
        machine / "bin" / "apt-get",
        then=f"""
        echo "$DEBIAN_FRONTEND $*" >> {machine}/apt.log
        case "$*" in
          *install*--no-install-recommends\\ {package})
            printf '#!/bin/sh\\necho Chromium 156\\n' > {browser}; /bin/chmod 755 {browser};;
          *install*) echo 'E: Unable to locate package'; exit 100;;
        esac""",
    )
    return machine / "apt.log"


def test_nothing_on_the_machine_is_none(machine: Path) -> None:
    assert chromium.find_chromium(None) is None


def test_the_headless_shell_comes_before_the_full_browser(machine: Path) -> None:
    full = program(machine / "bin" / "chromium")
    assert chromium.find_chromium(None) == full
    shell = program(machine / "bin" / "chromium-headless-shell")
    assert chromium.find_chromium(None) == shell


def test_debians_script_is_replaced_by_the_program_behind_it(machine: Path) -> None:
    program(machine / "bin" / "chromium")
    behind = program(machine / "lib" / "chromium")
    assert chromium.find_chromium(None) == behind


def test_a_stub_that_does_not_run_is_passed_over(machine: Path) -> None:
    program(machine / "bin" / "chromium-browser", then="echo 'install the snap' >&2; exit 1")
    real = program(machine / "bin" / "google-chrome", says="Google Chrome 156")
    assert chromium.find_chromium(None) == real


def test_playwrights_newest_headless_shell_is_found(machine: Path) -> None:
    program(machine / "cache" / "chromium-1300" / "chrome-linux64" / "chrome")
    program(machine / "cache" / "chromium_headless_shell-999" / "chrome-linux" / "headless_shell")
    folder = machine / "cache" / "chromium_headless_shell-1255" / "chrome-headless-shell-linux64"
    newest = program(folder / "chrome-headless-shell")
    assert chromium.find_chromium(None) == newest


def test_the_setting_wins(machine: Path) -> None:
    program(machine / "bin" / "chromium-headless-shell")
    own = program(machine / "own")
    assert chromium.find_chromium(str(own)) == own


def test_a_setting_that_names_nothing_is_one_sentence(machine: Path) -> None:
    program(machine / "bin" / "chromium")
    with pytest.raises(ConfigurationError, match="REGISTRE_CHROMIUM names /nowhere, which does not exist"):
        chromium.find_chromium("/nowhere")


def test_a_setting_that_is_no_chromium_is_one_sentence(machine: Path) -> None:
    other = program(machine / "own", says="Mozilla Firefox 150")
    with pytest.raises(ConfigurationError, match="does not run as a Chromium"):
        chromium.find_chromium(str(other))


def test_a_program_that_hangs_does_not_work(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "VERSION_SECONDS", 0.2)
    assert not chromium.works(program(machine / "own", then="/bin/sleep 60"))


@pytest.mark.parametrize("package", ["chromium-headless-shell", "chromium"])
def test_root_on_debian_installs_the_package(machine: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    log = debian(machine, monkeypatch, package)
    said: list[str] = []
    assert chromium.ensure_chromium(None, say=said.append) == machine / "bin" / package
    assert said == ["Installing Chromium with apt-get, which happens once."]
    assert all(line.startswith("noninteractive -o DPkg::Lock::Timeout=") for line in log.read_text().splitlines())


def test_a_browser_already_there_is_installed_by_nobody(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = debian(machine, monkeypatch, "chromium")
    there = program(machine / "bin" / "chromium")
    assert chromium.ensure_chromium(None, say=pytest.fail) == there
    assert not log.exists()


def test_an_ordinary_user_gets_playwrights_download(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = debian(machine, monkeypatch, "chromium")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    kept = program(machine / "kept")
    folder = machine / "cache" / "chromium_headless_shell-1255" / "chrome-headless-shell-linux64"
    download = f"/bin/mkdir -p {folder} && /bin/cp {kept} {folder}/chrome-headless-shell"
    monkeypatch.setattr(chromium, "PLAYWRIGHT_INSTALL", ("/bin/sh", "-c", download))
    assert chromium.ensure_chromium(None, say=lambda _: None) == folder / "chrome-headless-shell"
    assert not log.exists()


def test_no_way_to_a_browser_is_one_sentence_that_says_what_to_install(machine: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        chromium.ensure_chromium(None, say=lambda _: None)
    assert raised.value.message == (
        "No Chromium was found and none could be installed (Error: no route to the host): install the package "
        "chromium-headless-shell or chromium, or name a Chromium in REGISTRE_CHROMIUM."
    )


def test_a_download_that_cannot_come_ends_at_the_limit_with_all_it_started(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = machine / "alive"
    os.mkfifo(alive)
    reader = os.open(alive, os.O_RDONLY | os.O_NONBLOCK)
    # the child of the download, and not the download itself, is what would live on
    monkeypatch.setattr(chromium, "PLAYWRIGHT_INSTALL", ("/bin/sh", "-c", f"/bin/sleep 600 > {alive} & wait"))
    with pytest.raises(ConfigurationError, match="did not end within"):
        chromium.ensure_chromium(None, say=lambda _: None, download_seconds=0.6)
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b"", "comes when the child has ended, else the test's time limit does"
    os.close(reader)


def test_the_modules_import_needs_no_playwright() -> None:
    program_text = "import sys, registre.site.chromium; sys.exit('playwright' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program_text], check=False).returncode == 0
