"""What `registre doctor` says of a host: each thing that must be right, how it stands, and what to do.

Invariant: a check that fails is a finding, never an error; nothing is bought, and what is tried is taken away again.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from registre.access import KeyView
from registre.account import AccountView
from registre.errors import RegistreError
from registre.gates import Closure, Pause
from registre.job import Status, WorkerView
from registre.ledger import FailingDelivery

LITTLE_ROOM, TOO_LITTLE_ROOM = 2_000_000_000, 200_000_000
"""Bytes of disk for the spool: some hundred documents, and fewer than a burst of them."""
SKEW, TOO_MUCH_SKEW = timedelta(seconds=2), timedelta(seconds=30)


class Health(StrEnum):
    """How a thing stands."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line; `to_do` is empty when there is nothing to do."""

    what: str
    health: Health
    told: str
    to_do: str = ""


def tried(what: str, check: Callable[[], Finding], to_do: str) -> Finding:
    """A check that may fail as a whole; `to_do` is what helps then."""
    try:
        return check()
    except RegistreError as error:
        return Finding(what, Health.FAILED, error.message, to_do)


def home(folder: Path, free_bytes: int | None = None) -> Iterator[Finding]:
    """The home folder: there, writable, closed to others, with room for documents; `free_bytes` is the disk's."""
    probe = folder / ".doctor"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        yield Finding(
            "home",
            Health.FAILED,
            f"{folder} cannot be written: {error.strerror}.",
            "Give it to the user who runs registre.",
        )
        return
    yield Finding("home", Health.OK, str(folder))
    for name in ("spool", "evidence", "recorder", "buckets", "log"):
        place = folder / name
        if place.exists() and stat.S_IMODE(place.stat().st_mode) & 0o077:
            yield Finding(
                name, Health.WARNING, f"{place} is open to other users of this machine.", f"chmod 700 {place}"
            )
    free = shutil.disk_usage(folder).free if free_bytes is None else free_bytes
    told = f"{free / 1e9:.1f} GB free"
    if free < TOO_LITTLE_ROOM:
        yield Finding(
            "disk",
            Health.FAILED,
            f"{told}: bought documents could find no room.",
            "Make room before anything is bought.",
        )
    elif free < LITTLE_ROOM:
        yield Finding("disk", Health.WARNING, told, "Make room; bought documents land here first.")
    else:
        yield Finding("disk", Health.OK, told)


def clock(database: datetime, here: datetime) -> Finding:
    """Leases go by the database's clock; people compare it with this machine's."""
    skew = abs(database - here)
    told = f"{skew.total_seconds():.1f} s from the database's"
    if skew > TOO_MUCH_SKEW:
        return Finding("clock", Health.FAILED, told, "Set this machine's clock; let it follow a time server.")
    return Finding(
        "clock",
        Health.WARNING if skew > SKEW else Health.OK,
        told,
        "Let it follow a time server." if skew > SKEW else "",
    )


def accounts(found: Sequence[AccountView]) -> Iterator[Finding]:
    if not any(account.state != "inactive" for account in found):
        yield Finding("accounts", Health.WARNING, "none: nothing can be bought.", "registre accounts add")
        return
    yield Finding("accounts", Health.OK, f"{len(found)}")
    for account in found:
        if account.state == "set aside":
            yield Finding(
                f"account {account.username}",
                Health.WARNING,
                f"set aside: {account.reason}",
                "Mend what it says; then give the password anew, or restore it.",
            )


def secrets(plain: int, former: int, unreadable: Sequence[str], has_key: bool) -> Finding:
    """How many stored secrets are plain or under a former key, and whose cannot be opened here."""
    if unreadable:
        told = f"cannot be opened with this host's REGISTRE_SECRET_KEY: {', '.join(unreadable)}"
        return Finding("secrets", Health.FAILED, told, "Set the key they are sealed with, or give them anew.")
    if plain:
        to_do = (
            "registre accounts encrypt" if has_key else "registre accounts key; set REGISTRE_SECRET_KEY on every host"
        )
        return Finding("secrets", Health.WARNING, f"{plain} stored plain", to_do)
    if former:
        return Finding("secrets", Health.WARNING, f"{former} sealed with a former key", "registre accounts rotate")
    return Finding("secrets", Health.OK, "sealed" if has_key else "none")


def gates(closed: Sequence[Closure], pauses: Sequence[Pause]) -> Iterator[Finding]:
    """What holds orders back; a pause is somebody's decision, and is told so that nobody forgets it."""
    for pause in pauses:
        told = f"since {pause.at:%Y-%m-%d %H:%M} UTC by {pause.author}: {pause.reason}"
        name = f"pause of {pause.scope} {pause.name}".rstrip()
        yield Finding(name, Health.WARNING, told, f"registre resume {pause.scope} {pause.name}".rstrip())
    for closure in closed:
        if closure.gate in ("frozen", "breaker"):
            yield Finding(f"gate {closure.gate}", Health.WARNING, closure.reason, "registre gates list")


def work(counts: dict[Status, int], workers: Sequence[WorkerView], oldest: datetime | None, now: datetime) -> Finding:
    """Somebody must be there for what waits."""
    alive = [worker for worker in workers if worker.status != "offline"]
    waiting = counts[Status.WAITING]
    told = f"{waiting} waiting, {counts[Status.RUNNING]} in progress, {len(alive)} workers alive"
    if waiting and not alive:
        since = f", the oldest for {(now - oldest).total_seconds() / 60:.0f} min" if oldest else ""
        return Finding("queue", Health.FAILED, told + since, "Start a worker: registre up")
    return Finding("queue", Health.OK, told)


def spool(waiting: int, failing: Sequence[FailingDelivery]) -> Finding:
    """What is bought and not yet in its bucket; `failing` is of every host."""
    if failing:
        told = (
            f"{len(failing)} documents are not taken by their buckets; one on {failing[0].host}: {failing[0].reason}."
        )
        return Finding("spool", Health.FAILED, told, "Mend what it says; they are tried again by themselves.")
    if waiting:
        told = f"{waiting} documents are not in their buckets yet."
        return Finding(
            "spool",
            Health.WARNING,
            told,
            "They go by themselves while `registre up` or `registre tasks` runs on this host.",
        )
    return Finding("spool", Health.OK, "everything bought is in its bucket")


def keys(found: Sequence[KeyView]) -> Finding:
    living = [key for key in found if key.revoked_at is None]
    if not living:
        return Finding("keys", Health.WARNING, "none: nobody can use the API.", "registre keys add NAME --role admin")
    return Finding("keys", Health.OK, f"{len(living)}")


def now() -> datetime:
    return datetime.now(UTC)
