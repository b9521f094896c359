"""Puts adapters behind the ports, from settings. The only place that names adapters.

What only a worker needs (browsers, PDF reading) is imported where it is used: `registre submit` must not wait for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from registre.database import schema
from registre.database.gateway import DirectGateway, Gateway
from registre.database.schema import SchemaState
from registre.database.server import EmbeddedServer
from registre.errors import ConfigurationError, Refused
from registre.ports import (
    AccountBook,
    Alerts,
    Batches,
    Bucket,
    Fleet,
    FormBook,
    Gates,
    Idleness,
    JobQueue,
    KeyRing,
    Ledger,
    LogBook,
    Registry,
    Repeatable,
    SecretBook,
    SentenceBook,
    Treasury,
    Views,
    Webhooks,
)
from registre.settings import Settings, Where
from registre.spool import Spool
from registre.storage.local import LocalBuckets
from registre.store.accounts import Accounts
from registre.store.alerts import Alarms
from registre.store.batches import BatchBook
from registre.store.forms import Forms
from registre.store.gates import GateKeeping
from registre.store.idleness import IdleLimits
from registre.store.job_log import JobLog
from registre.store.jobs import Jobs
from registre.store.keys import Keys, Requests
from registre.store.ledger import Purchases
from registre.store.secrets import Secrets
from registre.store.sentences import Sentences
from registre.store.treasury import Accounting
from registre.store.views import Hosts, Reading
from registre.store.webhooks import WebhookBook
from registre.tracing import NoTraces, Traces
from registre.vault import Vault

if TYPE_CHECKING:
    from registre.database.rest import RestGateway
    from registre.delivery import Deliverer
    from registre.notifying import Notifier
    from registre.site.check import SiteCheck

log = logging.getLogger(__name__)

VERSION = version("registre")


@dataclass(frozen=True, slots=True)
class Store:
    """What every command needs: the database behind its ports."""

    queue: JobQueue
    accounts: AccountBook
    secrets: SecretBook
    ledger: Ledger
    fleet: Fleet
    views: Views
    alerts: Alerts
    gates: Gates
    treasury: Treasury
    batches: Batches
    keys: KeyRing
    repeatable: Repeatable
    webhooks: Webhooks
    forms: FormBook
    sentences: SentenceBook
    idleness: Idleness
    log: LogBook
    bucket: Bucket


@dataclass(frozen=True, slots=True)
class Database:
    """The database itself, for `registre db`."""

    where: str
    state: Callable[[], SchemaState]
    upgrade: Callable[[], tuple[str, ...]]
    clock: Callable[[], datetime]
    mode: Callable[[], str]
    """In words: the server's version, the way to it, and whether it is heard there, which is tried."""


@contextmanager
def open_gateway(settings: Settings) -> Iterator[tuple[DirectGateway | RestGateway, str]]:
    """The gateway, and where it leads. The embedded server of the home folder is started if needed."""
    with ExitStack() as stack:
        match settings.where:
            case Where.REST:
                from registre.database.rest import RestGateway
                from registre.project import Project, connected

                if settings.supabase is None:
                    raise ConfigurationError("REGISTRE_DATABASE is rest, and SUPABASE_URL is not set.")
                project = Project(*settings.supabase)
                rest = RestGateway(stack.enter_context(connected(project)))
                rest.check()
                yield rest, f"the HTTP API of {project.url}"
                return
            case Where.DIRECT:
                if settings.database_url is None:
                    raise ConfigurationError("REGISTRE_DATABASE is direct, and DATABASE_URL is not set.")
                dsn, where = settings.database_url.get_secret_value(), "DATABASE_URL"
            case Where.EMBEDDED:
                server = stack.enter_context(EmbeddedServer(settings.home, binaries=settings.pg_bin))
                dsn, where = server.start(), f"embedded in {settings.home}"
        gateway = stack.enter_context(DirectGateway(dsn))
        gateway.check()
        yield gateway, where


@contextmanager
def open_bucket(settings: Settings) -> Iterator[Bucket]:
    """The buckets of the Supabase project, if one is set; else the local folder."""
    if settings.supabase is None:
        yield LocalBuckets(settings.buckets_folder)
        return
    from registre.project import Project, connected
    from registre.storage.supabase import SupabaseBuckets

    with connected(Project(*settings.supabase)) as client:
        yield SupabaseBuckets(client)


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """The stores, on an up-to-date schema."""
    with open_gateway(settings) as (gateway, _), open_bucket(settings) as bucket:
        if isinstance(gateway, DirectGateway):
            for name in schema.upgrade(gateway):
                log.debug("database: applied %s", name)
        else:
            schema.require_current(gateway)
        yield make_store(gateway, bucket, settings.vault)


def make_store(gateway: Gateway, bucket: Bucket, vault: Vault | None = None) -> Store:
    """The stores over one gateway; without a vault secrets are stored as they are."""
    return Store(
        queue=Jobs(gateway),
        accounts=Accounts(gateway, vault),
        secrets=Secrets(gateway),
        ledger=Purchases(gateway),
        fleet=Hosts(gateway),
        views=Reading(gateway),
        alerts=Alarms(gateway),
        gates=GateKeeping(gateway),
        treasury=Accounting(gateway),
        batches=BatchBook(gateway),
        keys=Keys(gateway),
        repeatable=Requests(gateway),
        webhooks=WebhookBook(gateway, vault),
        forms=Forms(gateway),
        sentences=Sentences(gateway),
        idleness=IdleLimits(gateway),
        log=JobLog(gateway),
        bucket=bucket,
    )


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database as it is, nothing applied."""
    with open_gateway(settings) as (gateway, where):
        if isinstance(gateway, DirectGateway):
            direct = gateway
            yield Database(
                where,
                state=lambda: schema.state(direct),
                upgrade=lambda: schema.upgrade(direct),
                clock=direct.clock,
                mode=lambda: f"PostgreSQL {direct.version()}, {direct.route}, {_told(direct.hears())}",
            )
        else:
            rest = gateway
            yield Database(
                where,
                state=lambda: schema.state_by_call(rest),
                upgrade=_no_upgrade,
                clock=rest.clock,
                mode=lambda: f"PostgreSQL {rest.version()}, over HTTPS, {_told(hears=False)}",
            )


def _told(hears: bool) -> str:
    return "orders and events are told at once" if hears else "orders and events are looked for each second"


def _no_upgrade() -> tuple[str, ...]:
    raise Refused(
        "No schema is changed over Supabase's HTTP API: run what `registre db plan` prints in the project's SQL editor, or set "
        "DATABASE_URL and REGISTRE_DATABASE=direct for this command."
    )


def plan() -> str:
    """The whole schema as one script, for an SQL editor."""
    return schema.plan()


@contextmanager
def open_registry(settings: Settings, forms: FormBook, say: Callable[[str], None]) -> Iterator[Registry]:
    """The browsers in front of the registry's site, whose forms are held against `forms`.

    ConfigurationError when no Chromium can be had.
    """
    from registre.site.chromium import ensure_chromium
    from registre.site.profile import load_profile
    from registre.site.registry import SiteRegistry

    chromium = ensure_chromium(settings.chromium, say=say)
    registry = SiteRegistry(
        base_url=settings.base_url,
        profile=load_profile(settings.profile),
        chromium=chromium,
        forms=forms,
        evidence_bytes=settings.evidence_bytes,
    )
    try:
        yield registry
    finally:
        registry.close()


@contextmanager
def open_site_check(
    settings: Settings, store: Store, owner: str, say: Callable[[str], None]
) -> Iterator[tuple[SiteCheck, int]]:
    """A check of the site's free part under this owner, and how many findings it has at most."""
    from registre.site.check import STEPS, SiteCheck
    from registre.site.chromium import ensure_chromium
    from registre.site.profile import load_profile
    from registre.site.registry import SiteRegistry

    chromium, profile = ensure_chromium(settings.chromium, say=say), load_profile(settings.profile)
    # Without the book: the check holds each form against it by itself, to say what it found.
    registry = SiteRegistry(base_url=settings.base_url, profile=profile, chromium=chromium)
    try:
        yield SiteCheck(registry, profile, store.accounts, store.forms, owner), STEPS
    finally:
        registry.close()


def own_memory() -> int:
    """Bytes that this process and all below it hold: the browsers, when it is a worker."""
    import psutil

    from registre.site.processes import memory_of

    return memory_of([psutil.Process()])


def make_spool(settings: Settings) -> Spool:
    return Spool(settings.spool_folder)


def make_deliverer(store: Store, spool: Spool, traces: Traces | None = None) -> Deliverer:
    from registre.delivery import Deliverer

    return Deliverer(spool, store.bucket, store.ledger, traces or NoTraces())


def make_notifier(settings: Settings, store: Store) -> Notifier:
    from registre.notifying import Notifier
    from registre.posting import HttpPoster

    return Notifier(store.webhooks, HttpPoster(private=settings.webhooks_private))
