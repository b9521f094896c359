"""What a proof stands on: one host under supervisord, and around it the twin, PostgreSQL behind a line, a broker and buckets.

Invariant: `close` leaves no process and no mount; the folder goes with the ground unless it is kept.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import LiteralString

import httpx

from benchmarks.proof.blows import Blow
from benchmarks.proof.bucket import Bucket
from benchmarks.proof.clock import FILE as CLOCK
from benchmarks.proof.lasting import Lasting
from benchmarks.proof.line import Relay
from benchmarks.storm.storm import hasty_profile
from registre.access import Role, make_key
from registre.database import schema
from registre.database.cluster import Folders
from registre.database.gateway import DirectGateway
from registre.database.server import EmbeddedServer
from registre.site.chromium import ensure_chromium
from registre.storage.local import LocalBuckets
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.server import TwinServer
from registre.wiring import make_store
from tests.processes import processes_of
from tests.redis_server import RedisServer, free_port
from tests.supabase.server import SECRET_KEY
from tests.supervised import Host
from tests.waiting import until

SESSIONS = 6
LOADING_SECONDS = 0.15
DRAIN_SECONDS = 60
SPOOL_BYTES = 260_000_000
"""Of the spool's own disk: more than the room below which nothing is bought."""
PROGRAMS = ("tasks", "worker", "api")
START_SECONDS = 120.0

_BEGUN: LiteralString = """
    select t.started_at from registre.attempts t join extraction_queue q on q.id = t.job_id
    where t.id > (select max(id) - 300 from registre.attempts) and q.status = 'Complété' and q.cost_cents > 0
    order by t.started_at desc limit 1"""


class Ground:
    """`ground` makes one. The attributes are what a proof looks at and strikes."""

    def __init__(self, seed: int, folder: Path, stack: ExitStack) -> None:
        self._stack = stack
        self.folder = folder
        self.is_kept = False
        self.folder.chmod(0o755)  # the database's own user goes through it
        self.home = self.folder / "home"
        self.home.mkdir(mode=0o755)
        self.spool = self.home / "spool"
        self.buckets = self.folder / "buckets"
        self.clock = self.folder / "clock"
        self.clock.write_text("0", "utf-8")
        self.spool_has_disk = self._give_disk()
        self.accounts: Mapping[str, str] = dict(demo_accounts(SESSIONS))
        self.twin = stack.enter_context(
            TwinServer(TwinConfig(accounts=dict(self.accounts), loading_seconds=LOADING_SECONDS))
        )
        self._server = stack.enter_context(EmbeddedServer(self.folder / "pg"))
        assert self._server.address is not None
        self.dsn = self._server.address.dsn
        self.relay = stack.enter_context(Relay(self._server.address.port))
        self.bucket = stack.enter_context(Bucket())
        self.broker = RedisServer()
        self.broker.start()
        stack.callback(self.broker.close)
        gateway = stack.enter_context(DirectGateway(self.dsn, pool_size=2))
        schema.upgrade(gateway)
        self.store = make_store(gateway, LocalBuckets(self.buckets))
        self.line = Lasting(self.dsn)
        stack.callback(self.line.close)
        self.key = self._prepare(seed)
        self._port = free_port()
        self.api_url = f"http://127.0.0.1:{self._port}"
        self._host: Host | None = None
        self._is_up = False

    def _prepare(self, seed: int) -> str:
        self.store.gates.set_rule("pace_seconds", 0, f"proof {seed}")
        for username, password in self.accounts.items():
            self.store.accounts.add(username, password)
        key = make_key()
        self.store.keys.add(key, "clients", Role.REQUESTER, "a proof")
        return key.text

    def _give_disk(self) -> bool:
        """A disk of the spool's own, that can be full without anything else being so."""
        self.spool.mkdir(mode=0o700)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SPOOL_BYTES},mode=0700", "tmpfs", str(self.spool)]
        with suppress(OSError):
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                self._stack.callback(subprocess.run, ["umount", "-l", str(self.spool)], check=True)
                return True
        return False

    def start(self) -> None:
        """Bring the host up, and wait until its programs run and the API answers."""
        profile = self.home / "site.toml"
        profile.write_text(hasty_profile(), "utf-8")
        through = re.sub(r":\d+/", f":{self.relay.port}/", self.dsn)
        self._host = Host(
            self.home,
            programs=PROGRAMS,
            edit=self._with_clock,
            DATABASE_URL=through,
            SUPABASE_URL=self.bucket.url,
            SUPABASE_SECRET_KEY=SECRET_KEY,
            REGISTRY_BASE_URL=self.twin.base_url,
            REGISTRE_BROKER_URL=self.broker.url,
            REGISTRE_HOST="proof",
            REGISTRE_CHROMIUM=str(ensure_chromium(os.environ.get("REGISTRE_CHROMIUM"), say=print)),
            REGISTRE_SITE_PROFILE=str(profile),
            REGISTRE_MAX_SESSIONS=str(SESSIONS),
            REGISTRE_VISIBILITY_SECONDS="6",
            REGISTRE_DRAIN_SECONDS=str(DRAIN_SECONDS),
            REGISTRE_API_PORT=str(self._port),
            **{CLOCK: str(self.clock)},
        )
        self._is_up = True
        until(lambda: self.host.are_up_since({}), "the programs do not start", START_SECONDS)
        until(self.api_answers, "the API does not answer", START_SECONDS)

    @staticmethod
    def _with_clock(configuration: str) -> str:
        """The worker's command, on a host whose clock jumps."""
        clocked = f"command={sys.executable} -m benchmarks.proof.clock up"
        changed, times = re.subn(r"^command=\S+ up", clocked, configuration, flags=re.MULTILINE)
        assert times == 1, configuration
        return changed

    @property
    def host(self) -> Host:
        assert self._host is not None, "not started"
        return self._host

    # -- looking

    def api_answers(self) -> bool:
        try:
            return httpx.get(f"{self.api_url}/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def recovered(self, blows: tuple[Blow, ...], since: datetime) -> bool:
        """The host is itself again: an order that was begun since is delivered, and after the API was struck it answers."""
        if {Blow.API, Blow.RESTART} & set(blows) and not self.api_answers():
            return False
        if set(blows) == {Blow.API}:
            return True
        begun = self.line.read(_BEGUN)
        return bool(begun) and bool(begun[0]["started_at"] > since)

    def left_over(self) -> list[str]:
        """What should not be there any more once the host is closed."""
        found = [f"outlived the proof: {each}" for each in processes_of(self.home)]
        return found + [f"a traceback in {name}.log" for name in PROGRAMS if "Traceback" in self.host.log(name)]

    # -- what is struck

    def postgres_pid(self) -> int:
        return int((Folders(self.folder / "pg").data / "postmaster.pid").read_text("utf-8").split()[0])

    def kill_broker(self) -> None:
        if self.broker.lives:
            self.broker.kill()

    def start_broker(self) -> None:
        if not self.broker.lives:
            self.broker.start()

    def empty_broker(self) -> None:
        if self.broker.lives:
            self.broker.empty()

    # -- the end

    def close(self) -> None:
        """Stop the host's programs, as an operator does: what is being bought is finished."""
        if self._is_up:
            self._is_up = False
            self.host.close()

    def keep(self) -> Path:
        """The folder stays, with a copy of what its spool's own disk holds."""
        self.is_kept = True
        shutil.copytree(self.spool, self.folder / "spool", dirs_exist_ok=True)
        return self.folder


@contextmanager
def ground(seed: int) -> Iterator[Ground]:
    folder = Path(tempfile.mkdtemp(prefix="rg-"))  # short, as the path of a socket must be
    kept = False
    try:
        with ExitStack() as stack:
            on = Ground(seed, folder, stack)
            stack.callback(on.close)
            yield on
            kept = on.is_kept
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)
