"""Whether it lives, what waits, who works: health, readiness, the V2's counters and Prometheus' own.

Invariant: `/health` asks nobody, so that a database that is away makes nobody restart the API.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime

from litestar import Litestar, Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.routes import HTTPRoute
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from api import problems
from api.access import OPEN, needs
from api.counters import StoreCollector
from api.desk import AnyRequest, UsesStore, serves
from api.schemas import Wire
from registre.access import Role
from registre.errors import Unavailable
from registre.job import Status, WorkerView
from registre.wiring import VERSION, Store

STARTED = time.monotonic()


class Health(Wire):
    """The process answers."""

    status: str
    version: str
    uptime_seconds: int
    timestamp: datetime


class Ready(Wire):
    """`ready` is whether orders are taken, which needs the database alone; the rest says whether they will be served soon."""

    ready: bool
    database: str
    accounts: dict[str, int]
    site_last_answer_at: datetime | None
    closed: tuple[str, ...]
    waiting_because: str | None
    timestamp: datetime


class QueueCounts(Wire):
    waiting: int
    active: int
    completed: int
    failed: int


class WorkerCounts(Wire):
    total: int
    active: int
    idle: int
    error: int
    offline: int


class Metrics(Wire):
    """The V2's counters."""

    queue: QueueCounts
    workers: WorkerCounts
    timestamp: datetime


class Worker(Wire):
    """One worker; one that is dead is `offline`, whatever it said last."""

    worker_id: str
    status: str
    account: str | None
    current_job_id: str | None
    step: str | None
    last_heartbeat: datetime | None
    started_at: datetime | None


class Workers(Wire):
    total: int
    workers: tuple[Worker, ...]


class Endpoint(Wire):
    method: str
    path: str
    summary: str


class Index(Wire):
    """What there is."""

    name: str
    version: str
    documentation: str
    endpoints: tuple[Endpoint, ...]


@get("/health", opt=needs(OPEN), sync_to_thread=False, summary="Whether the process answers")
def health() -> Health:
    return Health(
        status="ok", version=VERSION, uptime_seconds=int(time.monotonic() - STARTED), timestamp=datetime.now(UTC)
    )


@get(
    "/ready",
    opt=needs(OPEN),
    sync_to_thread=True,
    summary="Whether orders are taken, and would be served",
    responses={503: ResponseSpec(Ready, generate_examples=False, description="The database is away.")},
)
def ready(store: UsesStore) -> Response[Ready]:
    try:
        found = Ready(
            ready=True,
            database="ok",
            accounts=dict(Counter(account.state for account in store.accounts.all())),
            site_last_answer_at=store.views.last_answer(),
            closed=tuple(str(closure.gate) for closure in store.gates.closures()),
            waiting_because=store.gates.why(),
            timestamp=datetime.now(UTC),
        )
    except Unavailable:
        away = Ready(
            ready=False,
            database="away",
            accounts={},
            site_last_answer_at=None,
            closed=(),
            waiting_because=None,
            timestamp=datetime.now(UTC),
        )
        return Response(away, status_code=503)
    return Response(found)


@get(
    "/metrics",
    media_type=CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8"),
    summary="For Prometheus",
    **serves(Role.VIEWER),
)
def prometheus(store: UsesStore) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StoreCollector(store))
    return generate_latest(registry)


@get("/api/metrics", summary="How many wait, and who works", **serves(Role.VIEWER))
def metrics(store: UsesStore) -> Metrics:
    return Metrics(queue=queue_counts(store), workers=worker_counts(store.views.workers()), timestamp=datetime.now(UTC))


@get("/api/workers", summary="Every worker", **serves(Role.VIEWER))
def workers(store: UsesStore) -> Workers:
    found = tuple(_worker(view) for view in store.views.workers())
    return Workers(total=len(found), workers=found)


@get(
    ["/api"],
    opt=needs(Role.VIEWER),
    sync_to_thread=False,
    summary="What there is",
    responses=problems.problem_responses(),
)
def index(request: AnyRequest) -> Index:
    return Index(name="registre", version=VERSION, documentation="/docs", endpoints=endpoints_of(request.app))


def endpoints_of(app: Litestar) -> tuple[Endpoint, ...]:
    """Every endpoint of the documentation, by path."""
    found = [
        Endpoint(method=method, path=route.path_format, summary=handler.summary or "")
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.resolve_include_in_schema()
        for method in handler.http_methods
        if method != "OPTIONS"
    ]
    return tuple(sorted(found, key=lambda endpoint: (endpoint.path, endpoint.method)))


def queue_counts(store: Store) -> QueueCounts:
    counts = store.views.counts()
    return QueueCounts(
        waiting=counts[Status.WAITING],
        active=counts[Status.RUNNING],
        completed=counts[Status.DONE],
        failed=counts[Status.FAILED],
    )


def worker_counts(found: list[WorkerView]) -> WorkerCounts:
    states = Counter(view.status for view in found)
    return WorkerCounts(
        total=len(found),
        active=states["busy"],
        idle=states["idle"],
        error=states["error"],
        offline=len(found) - states["busy"] - states["idle"] - states["error"],
    )


def _worker(view: WorkerView) -> Worker:
    return Worker(
        worker_id=view.worker_id,
        status=view.status,
        account=view.account,
        current_job_id=view.job_id,
        step=view.step,
        last_heartbeat=view.last_heartbeat,
        started_at=view.started_at,
    )


ROUTER = Router("/", route_handlers=[health, ready, prometheus, metrics, workers, index], tags=["monitoring"])
