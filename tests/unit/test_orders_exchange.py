"""`registre import` and `registre export` as a person meets them: what is ordered, written and said, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from registre.batch import BatchId, BatchView, NewBatch, Quote
from registre.cli import app, exchange
from registre.document import DocumentRequest, Source
from registre.errors import DatabaseUnavailable, InvalidInput, NotFound, Refused, RegistreError
from registre.job import JobFilter, JobId, JobPage, JobView, Order, Status

BATCH = BatchId("0f1a7c1e-0000-4000-8000-000000000001")
AT = datetime(2026, 10, 5, 12, tzinfo=UTC)
FEE = 150
HEADER = "type;lot;cadastre;client;notaire\n"
GOOD = "index;2784195;Cadastre du Québec;Roy;x\nplan;2784195;Cadastre du Québec;Roy;y\n"
BAD = "index;;Cadastre du Québec;Roy;[red]z\n"


@dataclass
class Counter:
    """Takes orders as the ports say, and remembers them."""

    owned: dict[str, str] = field(default_factory=dict)
    threshold: int | None = None
    refusal: RegistreError | None = None
    batch: NewBatch | None = None
    orders: list[Order] = field(default_factory=list)
    jobs: list[JobView] = field(default_factory=list)

    def quote(self, orders: Sequence[Order]) -> Quote:
        owned = tuple(self.owned.get(order.request.identity_key) for order in orders)
        price = FEE * owned.count(None)
        return Quote(owned, (False,) * len(orders), price, self.threshold is not None and price > self.threshold)

    def submit(self, batch: NewBatch, orders: Sequence[Order]) -> BatchView:
        if self.refusal is not None:
            raise self.refusal
        self.batch, self.orders = batch, list(orders)
        return self.get(BATCH)

    def get(self, batch_id: BatchId) -> BatchView:
        if batch_id != BATCH:
            raise NotFound("There is no such batch.")
        batch = self.batch or NewBatch("mai/juin")
        counts = {Status.WAITING: len(self.orders)}
        return BatchView(
            BATCH, batch.name, batch.client, batch.author, AT, 0, batch.cap_cents, False, None, None, counts, 0, 0, None
        )

    def page(self, _wanted: JobFilter, _cursor: str | None, _limit: int) -> JobPage:
        return JobPage(tuple(self.jobs), None)

    def delivered(self, _paths: Sequence[str]) -> dict[str, Any]:
        return {}

    def fetch(self, bucket: str, key: str) -> bytes:
        if key == "absent.pdf":
            raise NotFound(f"There is no {bucket}/{key}.")
        return b"%PDF"


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    counter = Counter()

    @contextmanager
    def open_store(_settings: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(batches=counter, views=counter, ledger=counter, bucket=counter)

    monkeypatch.setattr(exchange, "open_store", open_store)
    monkeypatch.setattr(exchange, "load_settings", lambda: None)
    return counter


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "mai.csv"
    path.write_text(HEADER + GOOD + BAD)
    return path


def run(*arguments: str | Path, typed: str = "") -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=typed)


def test_good_rows_are_one_batch_and_bad_ones_come_back(counter: Counter, orders: Path) -> None:
    result = run("import", orders, "--yes", "--author", "Ana", "--cap", "1 000,50", "--priority", "5", "--fresh")
    assert result.exit_code == 3, result.output
    assert counter.batch == NewBatch("mai", "Roy", "Ana", 100_050)
    place = ("2784195", "", "Cadastre du Québec")
    assert counter.orders == [
        Order(DocumentRequest(Source.INDEX, *place), client="Roy", priority=5, fresh=True),
        Order(DocumentRequest(Source.PLAN, *place), client="Roy", priority=5, fresh=True),
    ]
    rejects = orders.with_name("mai.rejects.csv")
    assert rejects.read_text("utf-8-sig").splitlines() == [
        "type;lot;cadastre;client;notaire;row;reason",
        "index;;Cadastre du Québec;Roy;[red]z;4;document_number: a number is required.",
    ]
    assert result.output.splitlines() == [
        "Columns that are not used: 'notaire'.",
        "row     4  ✗ document_number: a number is required.",
        f"1 row to mend and import again: {rejects}",
        "Ordered 2 documents for 3,00\u00a0$.",
        f"Batch mai: {BATCH}",
    ]


def test_when_all_rows_are_good_nothing_comes_back(counter: Counter, orders: Path) -> None:
    orders.write_text(HEADER + GOOD)
    assert run("import", orders, "--yes").exit_code == 0
    assert len(counter.orders) == 2
    assert list(orders.parent.iterdir()) == [orders]


def test_when_no_row_is_good_all_come_back_and_nothing_is_ordered(counter: Counter, orders: Path) -> None:
    orders.write_text(HEADER + BAD + BAD)
    result = run("import", orders, "--yes")
    assert result.exit_code == 2
    assert result.output.endswith("Nothing was ordered.\n")
    assert counter.batch is None
    assert orders.with_name("mai.rejects.csv").exists()


def test_a_dry_run_tells_verdicts_and_price_and_writes_nothing(counter: Counter, orders: Path) -> None:
    counter.owned["index|2784195||000001||"] = "index/a.pdf"
    counter.threshold = 100
    result = run("import", orders, "--dry-run")
    assert result.exit_code == 3
    assert result.output.splitlines() == [
        "Columns that are not used: 'notaire'.",
        "row     2  ✓ index 2784195 (Cadastre du Québec)  owned: index/a.pdf",
        "row     3  ✓ plan_cadastraux 2784195 (Cadastre du Québec)",
        "row     4  ✗ document_number: a number is required.",
        "Would order 2 documents for 1,50\u00a0$, 1 of them owned already, to be approved by a person.",
        "1 of 3 rows cannot be ordered. Nothing was written.",
    ]
    assert counter.batch is None
    assert list(orders.parent.iterdir()) == [orders]


def test_json_says_what_became_of_every_row(counter: Counter, orders: Path) -> None:
    counter.owned["index|2784195||000001||"] = "index/a.pdf"
    said = json.loads(run("import", orders, "--yes", "--json").output)
    assert said["batch"]["id"] == BATCH
    assert (said["good"], said["refused"], said["price_cents"], said["unknown_columns"]) == (2, 1, 150, ["notaire"])
    assert said["rejects"] == str(orders.with_name("mai.rejects.csv"))
    assert said["rows"] == [
        {"row": 2, "verdict": "good", "order": "index 2784195 (Cadastre du Québec)", "owned": "index/a.pdf"},
        {"row": 3, "verdict": "good", "order": "plan_cadastraux 2784195 (Cadastre du Québec)", "owned": None},
        {
            "row": 4,
            "verdict": "refused",
            "field": "document_number",
            "reason": "document_number: a number is required.",
        },
    ]


def test_a_batch_that_must_be_approved_says_so(counter: Counter, orders: Path) -> None:
    counter.threshold = 0
    assert "Nothing is bought before a person approves the batch." in run("import", orders, "--yes").output


def test_where_nobody_can_be_asked_yes_is_needed(counter: Counter, orders: Path) -> None:
    result = run("import", orders)
    assert str(result.exception) == "--yes: is needed where nobody can be asked; --dry-run tells the price."
    assert isinstance(result.exception, InvalidInput)
    assert counter.batch is None


@pytest.mark.parametrize(("answer", "code", "ordered"), [("y", 3, 2), ("n", 1, 0)])
def test_a_person_is_asked_with_the_price(
    counter: Counter, orders: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, ordered: int
) -> None:
    monkeypatch.setattr(exchange, "_attended", lambda: True)
    result = run("import", orders, typed=f"{answer}\n")
    assert result.exit_code == code
    assert result.stderr.startswith("Order 2 documents for 3,00\u00a0$? 1 row cannot be ordered. [y/N]:")
    assert len(counter.orders) == ordered
    assert orders.with_name("mai.rejects.csv").exists() == bool(ordered)


def test_when_ordering_fails_no_rejects_are_left_for_an_order_that_is_to_be_repeated(
    counter: Counter, orders: Path
) -> None:
    counter.refusal = DatabaseUnavailable("The database does not answer.")
    assert run("import", orders, "--yes").exception is counter.refusal
    assert list(orders.parent.iterdir()) == [orders]


def test_a_rejects_file_that_exists_is_never_replaced(counter: Counter, orders: Path) -> None:
    other = orders.with_name("mine.csv")
    other.write_text("mine")
    for path in (other, orders):
        before = path.read_bytes()
        assert isinstance(run("import", orders, "--yes", "--rejects", path).exception, Refused)
        assert path.read_bytes() == before
    assert counter.batch is None
    orders.with_name("mai.rejects.csv").write_text("mine")
    assert str(orders.with_name("mai.rejects-2.csv")) in run("import", orders, "--yes").output


def test_a_rejects_file_that_cannot_be_written_stops_the_order(counter: Counter, orders: Path) -> None:
    result = run("import", orders, "--yes", "--rejects", orders.parent / "absent" / "x.csv")
    assert str(result.exception).startswith("--rejects: ")
    assert counter.batch is None


def test_what_a_file_says_commands_no_terminal(counter: Counter, orders: Path) -> None:
    orders.write_text("type;lot;\x1b[31m[bold]x\nindex;\x1b[2J1;\nindex;[red]1;\n")
    output = run("import", orders, "--dry-run").output
    assert "\x1b" not in output
    assert "\\x1b[31m[bold]x" in output
    assert "'[red]1' is not a lot number" in output
    assert "✗ document_number: control characters" in output
    assert counter.batch is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cap", "1,000"), "--cap: '1,000' is not an amount in dollars, such as 150 or 150,00."),
        (("--cap", "-5"), "--cap: '-5' is not an amount in dollars, such as 150 or 150,00."),
        (("--client", "x" * 101), "--client: 101 characters are too many; at most 100 are accepted."),
        (("--name", "a\nb"), "--name: control characters and broken text are not accepted."),
    ],
)
def test_a_wrong_option_is_one_sentence(counter: Counter, orders: Path, arguments: tuple[str, ...], said: str) -> None:
    assert str(run("import", orders, "--yes", *arguments).exception) == said
    assert counter.batch is None


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        assert str(run("import", path, "--yes").exception).startswith(f"file: '{path}' cannot be read: ")


def delivered(number: int, key: str) -> JobView:
    request = DocumentRequest(Source.INDEX, str(number), "", "Cadastre du Québec")
    return JobView(
        JobId(f"job-{number}"), Status.DONE, request, "", BATCH, 0, None, 1, 3, 0, f"index/{key}", None, None, (), 0, None,
        None, None, None, AT, AT, AT,
    )  # fmt: skip


def test_a_batch_is_exported_under_its_own_name(
    counter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    counter.jobs = [delivered(2784195, "a.pdf")]
    result = run("export", BATCH)
    assert (result.exit_code, result.output) == (0, "1 document of 1 order: batch mai-juin.zip\n")
    assert (tmp_path / "batch mai-juin.zip").exists()
    assert isinstance(run("export", BATCH).exception, Refused)
    assert run("export", BATCH, "--force").exit_code == 0


def test_an_export_with_a_document_missing_is_partial(counter: Counter, tmp_path: Path) -> None:
    counter.jobs = [delivered(2784196, "absent.pdf"), delivered(2784195, "a.pdf")]
    result = run("export", BATCH, "--output", tmp_path / "x.zip")
    assert result.exit_code == 3
    assert result.output.splitlines() == [
        f"1 document of 2 orders: {tmp_path / 'x.zip'}",
        "order     2  ✗ the document is not in its bucket: There is no index/absent.pdf.",
        "1 delivered order without a document; manifest.csv says why.",
    ]
    said = json.loads(run("export", BATCH, "--output", tmp_path / "y.zip", "--json").output)
    assert (said["documents"], said["amiss"], said["output"]) == (1, 1, str(tmp_path / "y.zip"))
    assert [line["file"] for line in said["lines"]] == ["index 2784195.pdf", ""]


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ("mai", "batch: 'mai' is not an id; `registre batches list` shows them."),
        ("0f1a7c1e-0000-4000-8000-000000000002", "There is no such batch."),
    ],
)
def test_a_batch_that_is_not_there_is_one_sentence(counter: Counter, batch: str, said: str) -> None:
    assert str(run("export", batch).exception) == said
    assert counter.batch is None
