"""`registre submit`, `registre jobs …`: order documents and follow them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from registre.cli.options import AuthorOption, JsonFlag, batch_id_text, instant_of, job_id_of
from registre.cli.output import clock, console, dollars, show_json, show_table, show_text, status_text
from registre.document import DocumentRequest, Source
from registre.errors import InvalidInput
from registre.job import Event, JobFilter, JobView, Order, Settlement, Status
from registre.ledger import LedgerLine
from registre.plain import plain_text
from registre.settings import load_settings
from registre.wiring import Store, open_store

app = typer.Typer(help="Follow orders.", no_args_is_help=True)

_ALIASES = {"plan": Source.PLAN}
_STATUSES = {
    "all": None,
    "queued": Status.WAITING,
    "processing": Status.RUNNING,
    "completed": Status.DONE,
    "failed": Status.FAILED,
}


def submit(
    source: Annotated[str, typer.Argument(help="acte, index or plan_cadastraux (plan for short)")],
    number: Annotated[str, typer.Option(help="Number of the acte or lot, spaces allowed.")] = "",
    circonscription: Annotated[str, typer.Option(help="Circonscription foncière.")] = "",
    cadastre: Annotated[str, typer.Option(help="Cadastre (index and plan).")] = "",
    designation: Annotated[str, typer.Option(help="Désignation secondaire, if any.")] = "",
    acte_type: Annotated[str, typer.Option(help="Acte, Avis d'adresse, Radiation or Acte divers.")] = "",
    client: Annotated[str, typer.Option(help="Who orders; the queue is shared fairly between clients.")] = "",
    priority: Annotated[int, typer.Option(help="Higher is served first.", min=-1000, max=1000)] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Buy it even if it is already owned.")] = False,
    not_before: Annotated[str, typer.Option(help="Not before this instant, such as 2026-12-01T08:00.")] = "",
    deadline: Annotated[str, typer.Option(help="Give up if not started by this instant.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Order one document. Prints the job's id."""
    if source not in set(Source) and source not in _ALIASES:
        raise InvalidInput("document_source", f"'{source[:40]}' is unknown; one of {', '.join(Source)} is expected.")
    kind = _ALIASES.get(source) or Source(source)
    request = DocumentRequest(kind, number, circonscription, cadastre, designation, acte_type).validate()
    order = Order(
        request,
        client=plain_text(client, "client", 100),
        priority=priority,
        fresh=fresh,
        not_before=instant_of(not_before, "not-before") if not_before else None,
        deadline=instant_of(deadline, "deadline") if deadline else None,
    )
    with open_store(load_settings()) as store:
        job_id = store.queue.submit([order])[0]
        status = store.views.job(job_id).status if as_json else None
    if as_json:
        show_json({"id": job_id, "status": status, "request": asdict(request)})
    else:
        typer.echo(job_id)


@app.command("list")
def list_jobs(
    status: Annotated[str, typer.Option(help="all, queued, processing, completed or failed")] = "all",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    client: Annotated[str | None, typer.Option(help="Only this client's.")] = None,
    batch: Annotated[str | None, typer.Option(help="Only those of this batch.")] = None,
    source: Annotated[str | None, typer.Option(help="Only acte, index or plan_cadastraux.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only those in error of this kind, such as ambiguous_purchase.")
    ] = None,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List orders, newest first."""
    if status not in _STATUSES:
        raise InvalidInput("status", f"'{status[:40]}' is unknown; one of {', '.join(_STATUSES)} is expected.")
    wanted = JobFilter(_STATUSES[status], source, client, batch_id_text(batch) if batch else None, kind)
    with open_store(load_settings()) as store:
        page = store.views.page(wanted, cursor, limit)
        counts = store.views.counts()
    if as_json:
        show_json({"counts": counts, "jobs": [asdict(job) for job in page.jobs], "next_cursor": page.next_cursor})
        return
    totals = " · ".join(f"{counts[s]} {s}" for s in Status)
    show_table(
        totals,
        ("id", "status", "order", "outcome", "cost"),
        [
            (job.id, status_text(job.status), job.request.title, outcome_in_words(job), dollars(job.cost_cents))
            for job in page.jobs
        ],
    )
    if page.next_cursor:
        show_text(f"more: --cursor {page.next_cursor}")


@app.command("show")
def show_job(job_id: Annotated[str, typer.Argument(help="The job's id.")], as_json: JsonFlag = False) -> None:
    """Tell one order's whole story."""
    known = job_id_of(job_id)
    with open_store(load_settings()) as store:
        job = store.views.job(known)
        if as_json:
            show_json(
                {
                    **asdict(job),
                    "attempts_history": store.views.attempts(known),
                    "purchases": store.ledger.lines(known),
                    "events": store.views.story(known),
                }
            )
            return
        _tell(store, job)


@app.command("log")
def show_log(job_id: Annotated[str, typer.Argument(help="The job's id.")], as_json: JsonFlag = False) -> None:
    """Show what workers logged about one order, oldest first."""
    known = job_id_of(job_id)
    with open_store(load_settings()) as store:
        store.views.job(known)
        lines = store.log.of(known)
    if as_json:
        show_json([asdict(line) for line in lines])
        return
    for line in lines:
        show_text(f"{clock(line.at)} {line.level[:1]} {line.host}: {line.text}")


@app.command("retry")
def retry_job(job_id: Annotated[str, typer.Argument(help="The job's id.")]) -> None:
    """Put a failed order back in the queue, with fresh attempts."""
    known = job_id_of(job_id)
    with open_store(load_settings()) as store:
        store.queue.requeue(known, "the command line")
    typer.echo(f"{job_id} waits again.")


@app.command("cancel")
def cancel_job(job_id: Annotated[str, typer.Argument(help="The job's id.")]) -> None:
    """Cancel an order, unless its document is being bought."""
    known = job_id_of(job_id)
    with open_store(load_settings()) as store:
        outcome = store.queue.cancel(known, "the command line")
    typer.echo(f"{job_id} {'is cancelled' if outcome == 'cancelled' else 'is asked to stop'}.")


@app.command("rebuy")
def rebuy_job(
    job_id: Annotated[str, typer.Argument(help="The job's id.")],
    not_billed: Annotated[
        bool, typer.Option("--not-billed", help="The registry's invoice does not show the first purchase.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    *,
    author: AuthorOption,
) -> None:
    """Buy again a document that may already be billed: for a person who has looked at the registry's invoice."""
    _settle(job_id, Settlement.REBUY, author, not_billed, yes)


@app.command("abandon")
def abandon_job(
    job_id: Annotated[str, typer.Argument(help="The job's id.")],
    not_billed: Annotated[
        bool, typer.Option("--not-billed", help="The registry's invoice does not show the purchase.")
    ] = False,
    *,
    author: AuthorOption,
) -> None:
    """Give up a document that may be billed and has no file."""
    _settle(job_id, Settlement.ABANDON, author, not_billed, True)


def _settle(job_id: str, decision: Settlement, author: str, not_billed: bool, sure: bool) -> None:
    known = job_id_of(job_id)
    with open_store(load_settings()) as store:
        job = store.views.job(known)
        lines = [line for line in store.ledger.lines(known) if line.state == "ambiguous"]
        if decision is Settlement.REBUY and not sure:
            fee = dollars(lines[-1].fee_cents) if lines else "one document"
            typer.confirm(f"{job.request.title}: buy it again, for about {fee} more?", abort=True)
        store.queue.settle(known, decision, plain_text(author, "author", 100), billed=not not_billed)
    typer.echo(f"{job_id} {'waits to be bought again' if decision is Settlement.REBUY else 'is given up'}.")


def outcome_in_words(job: JobView) -> str:
    """What a clerk reads: the path, the reason, or where it stands."""
    notes = "".join(f" ({note})" for note in job.notes)
    match job.status:
        case Status.DONE:
            return f"{job.supabase_path}{notes}"
        case Status.FAILED:
            review = " (to be reviewed: `registre site sentences --review`)" if job.needs_review else ""
            return f"{job.error_kind}: {job.error_message}{review}"
        case Status.RUNNING:
            return job.step or f"with {job.worker_id}"
        case Status.WAITING:
            again = f"again at {clock(job.next_attempt_at)}" if job.next_attempt_at else "waiting"
            return f"{again}: {job.wait_reason}" if job.wait_reason else again


def _tell(store: Store, job: JobView) -> None:
    console.print(status_text(job.status), end="  ")
    show_text(job.request.title)
    show_text(outcome_in_words(job))
    if job.status is Status.DONE and job.supabase_path:
        bucket, _, key = job.supabase_path.partition("/")
        show_text(store.bucket.location(bucket, key))
    console.print(
        f"attempts {job.attempts} of {job.max_attempts} · rescues {job.rescues} · cost {dollars(job.cost_cents)}\n"
    )
    show_table("Ledger", ("state", "fee", "account", "intended", "charged", "secured", "delivered", "file"),
               [_ledger_row(line) for line in store.ledger.lines(job.id)])  # fmt: skip
    console.print()
    show_table("Attempts", ("no", "account", "from", "to", "ending", "why", "evidence"),
               [(a.number, a.account, clock(a.started_at), clock(a.ended_at), a.ending or "under way", a.message or "",
                 a.evidence or "") for a in store.views.attempts(job.id)])  # fmt: skip
    console.print()
    show_table("Story", ("at", "what", ""), [(clock(e.at), e.kind, _detail(e)) for e in store.views.story(job.id)])


def _ledger_row(line: LedgerLine) -> tuple[str, ...]:
    file = f"{line.sha256[:12]}… {line.size_bytes} bytes, {line.pages} p." if line.sha256 else line.reason or ""
    return (
        line.state,
        dollars(line.fee_cents),
        line.account,
        clock(line.intended_at),
        clock(line.charged_at),
        clock(line.secured_at),
        clock(line.delivered_at),
        file,
    )


def _detail(event: Event) -> str:
    hidden = {"status", "purchase", "sha256", "client"}
    return " · ".join(f"{v}" if k in {"step", "message", "path"} else f"{k} {v}" for k, v in event.data.items()
                      if k not in hidden and v not in ("", [], None))  # fmt: skip
