"""`registre demo`: twelve orders, three accounts, real browsers, a real PostgreSQL, and the twin of the registry.

Invariant: exit 0 only if every outcome is the expected one and the twin billed exactly what was delivered.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag

import typer
from rich.live import Live
from rich.table import Table

from actors.fleet import Fleet
from registre.cli.jobs import outcome_in_words
from registre.cli.output import console, dollars, show_table, status_text
from registre.cli.serve import running_twin
from registre.document import CADASTRE_DU_QUEBEC, DocumentRequest, Source
from registre.errors import ConfigurationError, ErrorKind, RegistreError, Unavailable
from registre.inspection import inspect_pdf
from registre.job import JobId, JobView, Order, Status
from registre.ledger import PurchaseState
from registre.log import configure
from registre.settings import Settings, load_settings
from registre.twin.config import demo_accounts
from registre.wiring import Store, open_registry, open_store

DEADLINE_SECONDS = 240
LOOK_EVERY_SECONDS = 0.5
ENDED = (Status.DONE, Status.FAILED)

INDEX, ACTE, PLAN = Source.INDEX, Source.ACTE, Source.PLAN
QUEBEC = CADASTRE_DU_QUEBEC


@dataclass(frozen=True, slots=True)
class Case:
    """One order of the demonstration, and how it must end: delivered (None), or the reason it cannot be."""

    why: str
    request: DocumentRequest
    expected: ErrorKind | None = None


CASES = (
    Case("an ordinary index", DocumentRequest(INDEX, "2 784 195", "Montréal", QUEBEC)),
    Case("an ordinary acte", DocumentRequest(ACTE, "25 616 321", "Montréal", acte_type="Acte")),
    Case("an ordinary plan", DocumentRequest(PLAN, "2 784 195", "Montréal", QUEBEC)),
    Case("a missing accent", DocumentRequest(ACTE, "12 345 678", "Montreal", acte_type="Acte")),
    Case("a misspelt name", DocumentRequest(INDEX, "3 000 101", "Saint-Anne-des-Monts", QUEBEC)),
    Case("an old lot with désignation", DocumentRequest(INDEX, "24A", "Gaspé", "Village de Gaspé", "Rang 1")),
    Case("a plan in several versions", DocumentRequest(PLAN, "3 456 789", "Montréal", QUEBEC)),
    Case("a large document, to confirm", DocumentRequest(INDEX, "4 111 222", "Québec", QUEBEC)),
    Case("only similar numbers", DocumentRequest(ACTE, "11 222 333", "Montréal", acte_type="Acte"), ErrorKind.ONLY_SIMILAR),
    Case("kept on paper only", DocumentRequest(ACTE, "53850", "Québec", acte_type="Acte"), ErrorKind.PAPER_ONLY),
    Case("a lot that does not exist", DocumentRequest(INDEX, "9 999 999", "Montréal", QUEBEC), ErrorKind.NOT_FOUND),
    Case("an ambiguous cadastre", DocumentRequest(INDEX, "24", "Chicoutimi", "Chicoutimi"), ErrorKind.AMBIGUOUS_OPTION),
)  # fmt: skip


def demo() -> None:
    """Run it in a home of its own, made afresh; typer.Exit(1) unless everything is as expected."""
    home = load_settings().home / "demo"
    with _alone(home.with_name("demo.lock")):
        shutil.rmtree(home, ignore_errors=True)
        if os.geteuid() == 0:
            # The database's own user must pass through REGISTRE_HOME to the demonstration's home below it.
            home.parent.chmod(stat.S_IMODE(home.parent.stat().st_mode) | stat.S_IXOTH)
        _demo(home)


def _demo(home: Path) -> None:
    settings = load_settings(home=home, host="demo").alone()
    configure("ERROR")
    began = time.monotonic()
    with open_store(settings) as store, running_twin(settings.home / "twin-ledger.jsonl") as base_url:
        for username, password in demo_accounts(3):
            store.accounts.add(username, password)
        store.gates.set_rule("pace_seconds", 0, "the demonstration")  # the twin needs no courtesy
        ids = store.queue.submit([Order(case.request, client="demo") for case in CASES])
        typer.echo(f"{len(ids)} orders, 3 accounts, twin of the registry at {base_url}")
        settings = settings.model_copy(update={"base_url": base_url})
        with _running_fleet(settings, store):
            ended = _watch(store, ids)
        jobs = [store.views.job(job_id) for job_id in ids]
        complaints = _judge(settings, store, jobs) if ended else [f"not every order ended within {DEADLINE_SECONDS} s"]
        _report(settings, store, jobs, time.monotonic() - began)
    for complaint in complaints:
        typer.echo(f"UNEXPECTED: {complaint}", err=True)
    if complaints:
        raise typer.Exit(1)
    typer.echo("Every outcome is the expected one, and the registry billed exactly what was delivered.")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = path.open("w")
    except OSError as error:
        raise ConfigurationError(f"REGISTRE_HOME ({path.parent}) cannot be written: {error.strerror}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable("Another demonstration runs in this REGISTRE_HOME; wait for its end.") from None
        yield


@contextmanager
def _running_fleet(settings: Settings, store: Store) -> Iterator[None]:
    with open_registry(settings, store.forms, say=typer.echo) as registry:
        fleet = Fleet(settings, store, registry)
        fleet.start()
        try:
            yield
        finally:
            fleet.drain()


def _watch(store: Store, ids: Sequence[JobId]) -> bool:
    """Show progress until every order ended, or the deadline; True when all ended."""
    changed = Flag()
    unlisten = store.queue.listen(lambda *_: changed.set())
    deadline = time.monotonic() + DEADLINE_SECONDS
    try:
        with _progress() as show:
            while True:
                jobs = [store.views.job(job_id) for job_id in ids]
                show(jobs)
                if all(job.status in ENDED for job in jobs):
                    return True
                if time.monotonic() > deadline:
                    return False
                changed.wait(LOOK_EVERY_SECONDS)
                changed.clear()
    finally:
        unlisten()


@contextmanager
def _progress() -> Iterator[Callable[[Sequence[JobView]], None]]:
    """A live table on a terminal; elsewhere one line for each change."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda jobs: live.update(_live_table(jobs), refresh=True)
        return
    said: dict[JobId, str] = {}

    def say(jobs: Sequence[JobView]) -> None:
        for number, job in enumerate(jobs, 1):
            line = f"{number:2} {job.request.title}: {job.status}" + (f", {job.step}" if job.step else "")
            if said.get(job.id) != line:
                said[job.id] = line
                typer.echo(line)

    yield say


def _live_table(jobs: Sequence[JobView]) -> Table:
    table = Table(box=None, pad_edge=False)
    for job in jobs:
        table.add_row(status_text(job.status), job.request.title, job.step or "")
    return table


def _judge(settings: Settings, store: Store, jobs: Sequence[JobView]) -> list[str]:
    """What is not as expected, in sentences; empty when all is well."""
    complaints = []
    for case, job in zip(CASES, jobs, strict=True):
        if case.expected is None and job.status is Status.DONE:
            complaints += _judge_document(store, job)
        elif case.expected is None or job.error_kind != case.expected:
            complaints.append(f"{case.why}: {job.request.title} ended as {job.status}, {outcome_in_words(job)}")
    delivered = [line for line in store.ledger.lines() if line.state is PurchaseState.DELIVERED]
    ours = Counter(store.views.job(JobId(line.job_id)).request.number_normalized for line in delivered)
    theirs = Counter(str(line["number_normalized"]) for line in twin_ledger(settings))
    if ours != theirs:
        complaints.append(f"the twin billed {sorted(theirs.elements())}, delivered were {sorted(ours.elements())}")
    return complaints


def _judge_document(store: Store, job: JobView) -> list[str]:
    bucket, _, key = (job.supabase_path or "").partition("/")
    try:
        inspect_pdf(Path(store.bucket.location(bucket, key)), job.request)
    except (RegistreError, OSError) as error:
        return [f"{job.request.title}: {error}"]
    return []


def twin_ledger(settings: Settings) -> list[dict[str, object]]:
    """The twin's own billing ledger, read from its file."""
    path = settings.home / "twin-ledger.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _report(settings: Settings, store: Store, jobs: Sequence[JobView], seconds: float) -> None:
    show_table(
        f"\nTwelve orders in {seconds:.0f} s",
        ("order", "because", "outcome", "cost"),
        [
            (job.request.title, case.why, outcome_in_words(job), dollars(job.cost_cents))
            for case, job in zip(CASES, jobs, strict=True)
        ],
    )
    billed, ours = twin_ledger(settings), store.ledger.lines()
    paid = [line for line in ours if line.state not in (PurchaseState.VOID, PurchaseState.INTENDED)]
    show_table(
        "\nWhat was bought",
        ("ledger", "documents", "sum"),
        [
            ("the registry's (twin)", len(billed), dollars(sum(int(str(line["amount_cents"])) for line in billed))),
            ("ours", len(paid), dollars(sum(line.fee_cents for line in paid))),
        ],
    )
    console.print(f"\nThe documents are in {settings.buckets_folder}", markup=False, soft_wrap=True)
