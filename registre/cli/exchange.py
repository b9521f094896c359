"""`registre import`, `registre export`: many orders from one file, and a batch's documents in one ZIP."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from registre.batch import BatchId, BatchView, NewBatch, Quote
from registre.cli.options import AuthorOption, JsonFlag, batch_id_text, cents_of
from registre.cli.output import dollars, show_json, show_text
from registre.cli.progress import progress
from registre.errors import InvalidInput, Refused
from registre.job import Order, Status
from registre.orders.cells import MAX_FILE_BYTES
from registre.orders.export import Exported, Exporter
from registre.orders.filenames import portable, shortened
from registre.orders.placing import for_one_client
from registre.orders.reading import OrdersFile, read_orders_file
from registre.orders.rejects import rejects_path, render_rejects
from registre.orders.verdicts import MAX_NAME, PRIORITIES, Accepted, Defaults, Rejected, Verdict, judge, valid_client
from registre.plain import harmless
from registre.settings import load_settings
from registre.wiring import open_store

EXIT_DECLINED, EXIT_NOTHING_USABLE, EXIT_PARTIAL = 1, 2, 3
SHOWN = 20
"""Refused rows that are told on the terminal; the file has them all."""


@dataclass(frozen=True, slots=True)
class _Import:
    """What an order file came to."""

    file: OrdersFile
    accepted: tuple[Accepted, ...]
    rejected: tuple[Rejected, ...]
    quote: Quote | None = None
    batch: BatchView | None = None
    rejects: Path | None = None

    @property
    def orders(self) -> list[Order]:
        return [verdict.order for verdict in self.accepted]

    @property
    def code(self) -> int:
        if not self.accepted:
            return EXIT_NOTHING_USABLE
        return EXIT_PARTIAL if self.rejected else 0


def import_orders(
    file: Annotated[Path, typer.Argument(help="CSV (UTF-8, UTF-16 or windows-1252; ; , or tab) or Excel (.xlsx).")],
    client: Annotated[str, typer.Option(help="Client of the rows that name none, and of the batch.")] = "",
    name: Annotated[str, typer.Option(help="What the batch is called; the file's name if not given.")] = "",
    priority: Annotated[
        int, typer.Option(help="Of the rows that name none.", min=PRIORITIES[0], max=PRIORITIES[-1])
    ] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Buy even what is already owned.")] = False,
    cap: Annotated[str, typer.Option(help="What the batch may cost at most, such as 100,00.")] = "",
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; else the first one with a header.")] = None,
    rejects: Annotated[Path | None, typer.Option(help="File for the rows that cannot be ordered.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell verdicts and price; order and write nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
    *,
    author: AuthorOption,
) -> None:
    """Order many documents from a file. Rows that cannot be ordered come back in a file, to mend and import again."""
    batch = NewBatch(
        valid_client(name, "--name") or harmless(file.stem)[:MAX_NAME],
        valid_client(client, "--client"),
        valid_client(author, "--author"),
        cents_of(cap, "--cap") if cap else None,
    )
    if not (dry_run or yes or _attended()):
        raise InvalidInput("--yes", "is needed where nobody can be asked; --dry-run tells the price.")
    outcome = _judged(file, sheet, Defaults(client, priority, fresh))
    if outcome.accepted:
        with open_store(load_settings()) as store:
            quote = store.batches.quote(outcome.orders)
            outcome = replace(outcome, quote=quote)
            if not dry_run:
                if not yes:
                    _ask(outcome, quote)
                with _rejects_file(outcome, file, rejects) as written, progress("ordering", None):
                    view = store.batches.submit(for_one_client(batch, outcome.orders), outcome.orders)
                outcome = replace(outcome, batch=view, rejects=written)
    elif not dry_run:
        with _rejects_file(outcome, file, rejects) as written:
            outcome = replace(outcome, rejects=written)
    if as_json:
        show_json(_as_json(outcome, dry_run=dry_run))
    else:
        _tell(outcome, dry_run=dry_run)
    raise typer.Exit(outcome.code)


def export_batch(
    batch: Annotated[str, typer.Argument(help="The batch's id.")],
    output: Annotated[Path | None, typer.Option(help="The ZIP; named for the batch if not given.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write a batch's documents into a ZIP, with a manifest of every order."""
    known = BatchId(batch_id_text(batch))
    with open_store(load_settings()) as store:
        view = store.batches.get(known)
        target = output or Path(shortened(portable(f"batch {view.name}"), 100, 200) + ".zip")
        exporter = Exporter(store.views, store.ledger, store.bucket)
        with progress("reading orders", view.total) as tell:
            jobs = exporter.orders(known, tell)
        with progress("packing documents", len(jobs)) as tell:
            exported = exporter.write(jobs, target, replace=force, tell=tell)
    if as_json:
        show_json({"batch": known, "output": str(target), **asdict(exported)})
    else:
        _tell_export(exported, target)
    raise typer.Exit(EXIT_PARTIAL if exported.amiss else 0)


def _judged(path: Path, sheet: str | None, defaults: Defaults) -> _Import:
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InvalidInput("file", f"'{path}' cannot be read: {error.strerror}.") from None
    with progress("reading the file"):
        file = read_orders_file(data, sheet)
    verdicts: list[Verdict] = []
    with progress("judging rows", len(file.rows)) as tell:
        for verdict in judge(file, defaults, datetime.now(UTC)):
            verdicts.append(verdict)
            tell(len(verdicts))
    return _Import(
        file,
        tuple(v for v in verdicts if isinstance(v, Accepted)),
        tuple(v for v in verdicts if isinstance(v, Rejected)),
    )


@contextmanager
def _rejects_file(outcome: _Import, orders: Path, wanted: Path | None) -> Iterator[Path | None]:
    """Write the refused rows, if any, before anything is ordered; they go again when ordering fails, for then all rows are
    to be imported once more."""
    if not outcome.rejected:
        yield None
        return
    target = wanted or rejects_path(orders)
    try:
        with target.open("xb") as file:
            file.write(render_rejects(outcome.file, outcome.rejected))
    except FileExistsError:
        raise Refused(f"{target} exists already and is not replaced; name another file with --rejects.") from None
    except OSError as error:
        raise InvalidInput(
            "--rejects", f"'{target}' cannot be written ({error.strerror}); name another file. Nothing was ordered."
        ) from None
    try:
        yield target
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _attended() -> bool:
    return sys.stdin.isatty()


def _ask(outcome: _Import, quote: Quote) -> None:
    left_out = f" {_counted(len(outcome.rejected), 'row')} cannot be ordered." if outcome.rejected else ""
    if not typer.confirm(f"Order {_price(quote)}?{left_out}", err=True):
        typer.echo("Nothing was ordered.", err=True)
        raise typer.Exit(EXIT_DECLINED)


def _tell(outcome: _Import, *, dry_run: bool) -> None:
    if outcome.file.header.unknown:
        show_text("Columns that are not used: " + ", ".join(f"'{name}'" for name in outcome.file.header.unknown) + ".")
    if dry_run:
        for row in _rows(outcome):
            mark = "✗" if row["verdict"] == "refused" else "✓"
            show_text(f"row {row['row']:>5}  {mark} {row.get('order', '')}{row.get('reason', '')}"
                      + (f"  owned: {row['owned']}" if row.get("owned") else ""))  # fmt: skip
        if outcome.quote is not None:
            show_text(f"Would order {_price(outcome.quote)}.")
        show_text(
            f"{len(outcome.rejected)} of {_counted(len(outcome.file.rows), 'row')} cannot be ordered. Nothing was written."
        )
        return
    _tell_rejected(outcome.rejected[:SHOWN], len(outcome.rejected))
    if outcome.rejects is not None:
        show_text(f"{_counted(len(outcome.rejected), 'row')} to mend and import again: {outcome.rejects}")
    if outcome.batch is None or outcome.quote is None:
        show_text("Nothing was ordered.")
        return
    show_text(f"Ordered {_price(outcome.quote)}.")
    if outcome.batch.approved_at is None and outcome.quote.needs_approval:
        show_text("Nothing is bought before a person approves the batch.")
    show_text(f"Batch {outcome.batch.name}: {outcome.batch.id}")


def _tell_rejected(shown: tuple[Rejected, ...], total: int) -> None:
    for verdict in shown:
        show_text(f"row {verdict.row:>5}  ✗ {verdict.sentence}")
    if total > len(shown):
        show_text(f"and {total - len(shown)} more.")


def _price(quote: Quote) -> str:
    owned = sum(path is not None for path in quote.owned)
    approval = ", to be approved by a person" if quote.needs_approval else ""
    return (
        f"{_counted(len(quote.owned), 'document')} for {dollars(quote.price_cents)}"
        + (f", {owned} of them owned already" if owned else "")
        + approval
    )


def _rows(outcome: _Import) -> list[dict[str, Any]]:
    """Every row with its verdict, in the file's order."""
    owned = outcome.quote.owned if outcome.quote is not None else (None,) * len(outcome.accepted)
    good = [
        {"row": verdict.row, "verdict": "good", "order": verdict.order.request.title, "owned": path}
        for verdict, path in zip(outcome.accepted, owned, strict=True)
    ]
    bad = [{"row": v.row, "verdict": "refused", "field": v.field, "reason": v.sentence} for v in outcome.rejected]
    return sorted([*good, *bad], key=lambda row: int(str(row["row"])))


def _as_json(outcome: _Import, *, dry_run: bool) -> dict[str, Any]:
    quote = outcome.quote
    return {
        "dry_run": dry_run,
        "rows": _rows(outcome),
        "good": len(outcome.accepted),
        "refused": len(outcome.rejected),
        "unknown_columns": outcome.file.header.unknown,
        "price_cents": quote.price_cents if quote else 0,
        "needs_approval": quote.needs_approval if quote else False,
        "batch": outcome.batch,
        "rejects": str(outcome.rejects) if outcome.rejects else None,
    }


def _tell_export(exported: Exported, target: Path) -> None:
    show_text(f"{_counted(exported.documents, 'document')} of {_counted(len(exported.lines), 'order')}: {target}")
    for line in [line for line in exported.lines if line.error and line.status == Status.DONE][:SHOWN]:
        show_text(f"order {line.order:>5}  ✗ {line.error}")
    if exported.amiss:
        show_text(f"{_counted(exported.amiss, 'delivered order')} without a document; manifest.csv says why.")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
