"""`registre batches …`: orders of many documents, followed and decided as one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from registre.batch import BatchId, BatchView
from registre.cli.options import AuthorOption, JsonFlag, batch_id_text
from registre.cli.output import dollars, moment, show_json, show_table, show_text
from registre.job import Status
from registre.plain import plain_text
from registre.settings import load_settings
from registre.wiring import open_store

app = typer.Typer(help="Orders of many documents.", no_args_is_help=True)

BatchArgument = Annotated[str, typer.Argument(help="The batch's id.")]


@app.command("list")
def list_batches(limit: Annotated[int, typer.Option(min=1, max=500)] = 50, as_json: JsonFlag = False) -> None:
    """List batches, newest first, with their progress, cost and expected end in open hours."""
    with open_store(load_settings()) as store:
        batches = store.batches.all(limit)
    if as_json:
        show_json([asdict(batch) for batch in batches])
        return
    show_table("Batches", ("id", "name", "client", "done", "in error", "waiting", "spent", "price", "expected end"),
               [_row(batch) for batch in batches])  # fmt: skip


@app.command("show")
def show_batch(batch_id: BatchArgument, as_json: JsonFlag = False) -> None:
    """Tell how one batch stands."""
    known = BatchId(batch_id_text(batch_id))
    with open_store(load_settings()) as store:
        batch = store.batches.get(known)
    if as_json:
        show_json(asdict(batch))
        return
    show_text(
        f"{batch.name}  {batch.total} orders, by {batch.author or 'nobody named'} for {batch.client or '(no client)'}"
    )
    show_text(" · ".join(f"{batch.counts[status]} {status}" for status in Status))
    show_text(f"spent {dollars(batch.spent_cents)}, under way {dollars(batch.reserved_cents)}, price {dollars(batch.price_cents)}"
              + (f", cap {dollars(batch.cap_cents)}" if batch.cap_cents is not None else ""))  # fmt: skip
    show_text(_standing(batch))


@app.command("approve")
def approve(batch_id: BatchArgument, *, author: AuthorOption) -> None:
    """Let a batch that waits for approval begin."""
    known = BatchId(batch_id_text(batch_id))
    with open_store(load_settings()) as store:
        store.batches.approve(known, plain_text(author, "author", 100))
    show_text(f"{batch_id} is approved.")


@app.command("cancel")
def cancel(batch_id: BatchArgument, *, author: AuthorOption) -> None:
    """Cancel every order of a batch that is not being bought."""
    known = BatchId(batch_id_text(batch_id))
    with open_store(load_settings()) as store:
        cancelled = store.batches.cancel(known, plain_text(author, "author", 100))
    show_text(f"{cancelled} orders are cancelled or asked to stop.")


def _row(batch: BatchView) -> tuple[str, ...]:
    counts = batch.counts
    return (batch.id, batch.name, batch.client, f"{counts[Status.DONE]}/{batch.total}", str(counts[Status.FAILED]),
            str(counts[Status.WAITING] + counts[Status.RUNNING]), dollars(batch.spent_cents), dollars(batch.price_cents),
            _standing(batch))  # fmt: skip


def _standing(batch: BatchView) -> str:
    if batch.waits_for_approval:
        return f"waits for approval: registre batches approve {batch.id}"
    if not batch.counts[Status.WAITING] + batch.counts[Status.RUNNING]:
        return "ended"
    return f"expected {moment(batch.done_at)}" if batch.done_at else "no estimate yet"
