"""A batch's ZIP holds what was bought, under names for people, and a line for every order, whatever became of it."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from registre.batch import BatchId
from registre.document import DocumentRequest, Source
from registre.errors import InvalidInput, NotFound, Refused, StoreUnavailable
from registre.job import JobFilter, JobId, JobPage, JobView, Status
from registre.ledger import LedgerLine, PurchaseId, PurchaseState
from registre.orders.export import Exported, Exporter

BATCH = BatchId("0f1a7c1e-0000-4000-8000-000000000001")
AT = datetime(2026, 10, 5, 18, 30, tzinfo=UTC)
INDEX = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", "Cadastre du Québec")
PDF = b"%PDF-1.7 an index"


def job(
    number: int, request: DocumentRequest = INDEX, path: str | None = None, status: Status = Status.DONE
) -> JobView:
    return JobView(
        JobId(f"job-{number}"), status, request, "Roy", BATCH, 0, None, 1, 3, 0, path, None, None, (), 0, None, None, None,
        None, AT, AT, AT,
    )  # fmt: skip


def line(number: int, content: bytes, state: PurchaseState = PurchaseState.DELIVERED, at: datetime = AT) -> LedgerLine:
    return LedgerLine(
        PurchaseId(f"purchase-{number}"), f"job-{number}", state, 150, "99X9999", at, at, at, at,
        hashlib.sha256(content).hexdigest(), len(content), 3, None,
    )  # fmt: skip


@dataclass
class Archive:
    """A batch as the ports tell it: jobs oldest first, ledger lines, objects."""

    jobs: list[JobView] = field(default_factory=list)
    ledger: dict[str, LedgerLine] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    away: bool = False
    fetched: list[str] = field(default_factory=list)

    def page(self, wanted: JobFilter, cursor: str | None = None, limit: int = 100) -> JobPage:
        assert wanted == JobFilter(batch_id=BATCH)
        start, size = int(cursor or 0), min(limit, 2)  # small pages, so that every test turns one
        newest = self.jobs[::-1]
        following = str(start + size) if start + size < len(newest) else None
        return JobPage(tuple(newest[start : start + size]), following)

    def delivered(self, paths: Sequence[str]) -> dict[str, LedgerLine]:
        return {path: line for path, line in self.ledger.items() if path in paths}

    def fetch(self, bucket: str, key: str) -> bytes:
        if self.away:
            raise StoreUnavailable("The bucket cannot be read.")
        self.fetched.append(f"{bucket}/{key}")
        try:
            return self.objects[f"{bucket}/{key}"]
        except KeyError:
            raise NotFound(f"There is no {bucket}/{key}.") from None

    def bought(self, number: int, request: DocumentRequest, content: bytes) -> None:
        """An order whose document was bought and delivered."""
        path = f"index/{number}.pdf"
        self.jobs.append(replace(job(number, request, path), cost_cents=150))
        self.ledger[path] = line(number, content)
        self.objects[path] = content

    def export(self, target: Path, *, force: bool = False) -> Exported:
        exporter = Exporter(self, self, self)  # type: ignore[arg-type]
        return exporter.write(exporter.orders(BATCH), target, replace=force)


@pytest.fixture
def archive() -> Archive:
    return Archive()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "batch.zip"
    assert not list(tmp_path.glob(".*")), "something was left behind"


def manifest(target: Path) -> list[dict[str, str]]:
    with zipfile.ZipFile(target) as opened:
        text = opened.read("manifest.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))


def documents(target: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(target) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist() if name != "manifest.csv"}


def column(target: Path, name: str) -> Sequence[str]:
    return [line[name] for line in manifest(target)]


def test_a_bought_document_is_in_the_zip_and_told_whole(archive: Archive, target: Path) -> None:
    archive.bought(1, INDEX, PDF)
    exported = archive.export(target)
    assert documents(target) == {"index 2784195 Montréal.pdf": PDF}
    assert manifest(target) == [
        {
            "order": "1", "job_id": "job-1", "source": "index", "number": "2 784 195", "circonscription": "Montréal",
            "cadastre": "Cadastre du Québec", "designation": "", "acte_type": "", "client": "Roy", "status": "Complété",
            "error": "", "file": "index 2784195 Montréal.pdf", "sha256": hashlib.sha256(PDF).hexdigest(), "compared": "yes",
            "size_bytes": "17", "pages": "3", "cost_cents": "150", "bought_at": "2026-10-05T14:30:00-04:00", "reused": "no",
            "notes": "",
        }
    ]  # fmt: skip
    assert (exported.documents, exported.amiss) == (1, 0)


def test_every_order_has_a_line_in_the_order_given(archive: Archive, target: Path) -> None:
    for number in range(1, 6):
        archive.bought(number, replace(INDEX, number=f"278419{number}"), b"%d" % number)
    archive.jobs[1] = job(2, status=Status.WAITING)
    archive.jobs[2] = replace(job(3, status=Status.FAILED), error_kind="not_found", error_message="Aucun document.")
    archive.jobs[3] = job(4, status=Status.RUNNING)
    assert archive.export(target).amiss == 0
    assert column(target, "job_id") == [f"job-{number}" for number in range(1, 6)]
    assert column(target, "error") == ["", "not delivered yet.", "not_found: Aucun document.", "not delivered yet.", ""]
    assert column(target, "reused") == ["no"] * 5
    assert sorted(documents(target)) == ["index 2784191 Montréal.pdf", "index 2784195 Montréal.pdf"]


def test_a_document_of_several_orders_is_stored_once(archive: Archive, target: Path) -> None:
    archive.jobs.append(job(7, path="index/1.pdf"))  # served by the purchase of the order below it
    archive.bought(1, INDEX, PDF)
    archive.jobs.append(job(8, replace(INDEX, number="2784195"), "index/1.pdf"))
    assert archive.export(target).documents == 1
    assert documents(target) == {"index 2784195 Montréal.pdf": PDF}
    assert column(target, "file") == ["index 2784195 Montréal.pdf"] * 3
    assert column(target, "reused") == ["yes", "no", "yes"]
    assert column(target, "compared") == ["yes"] * 3
    assert column(target, "cost_cents") == ["0", "150", "0"]
    assert archive.fetched == ["index/1.pdf"]


def test_a_document_of_another_program_says_that_it_was_not_compared(archive: Archive, target: Path) -> None:
    archive.jobs.append(job(7, path="index/old.pdf"))
    archive.objects["index/old.pdf"] = PDF
    assert archive.export(target).amiss == 0
    (told,) = manifest(target)
    assert (told["compared"], told["sha256"], told["pages"], told["bought_at"], told["reused"]) == (
        "no", hashlib.sha256(PDF).hexdigest(), "", "", "yes",
    )  # fmt: skip


def test_a_document_bought_for_another_batch_is_compared_with_its_purchase(archive: Archive, target: Path) -> None:
    archive.jobs += [job(7, path="index/old.pdf"), job(8, path="index/other.pdf")]
    archive.objects |= {"index/old.pdf": PDF, "index/other.pdf": b"changed"}
    archive.ledger |= {path: line(1, PDF) for path in archive.objects}
    assert archive.export(target).amiss == 1
    assert column(target, "compared") == ["yes", ""]
    assert column(target, "pages") == ["3", ""]


def test_a_document_that_is_not_what_was_bought_stays_out_and_the_rest_goes_on(archive: Archive, target: Path) -> None:
    archive.bought(1, INDEX, PDF)
    archive.bought(2, replace(INDEX, number="2784196"), b"two")
    archive.objects["index/1.pdf"] = b"changed"
    exported = archive.export(target)
    assert (exported.documents, exported.amiss) == (1, 1)
    assert documents(target) == {"index 2784196 Montréal.pdf": b"two"}
    bad, good = manifest(target)
    assert bad["error"].startswith("the document in its bucket (index/1.pdf) is not the one that was bought")
    assert (bad["file"], bad["sha256"], bad["status"]) == ("", "", "Complété")
    assert good["error"] == ""


def test_a_document_that_is_missing_is_told_for_each_of_its_orders(archive: Archive, target: Path) -> None:
    archive.bought(1, INDEX, PDF)
    archive.jobs.append(job(2, path="index/1.pdf"))
    archive.objects.clear()
    assert archive.export(target).amiss == 2
    assert column(target, "error") == ["the document is not in its bucket: There is no index/1.pdf."] * 2


def test_nothing_in_the_manifest_is_computed_by_excel(archive: Archive, target: Path) -> None:
    archive.jobs.append(replace(job(1, status=Status.FAILED), client="=1+1", error_message="@x", error_kind="-"))
    archive.export(target)
    assert column(target, "client") == ["'=1+1"]
    assert column(target, "error") == ["'-: @x"]


def test_a_batch_without_orders_is_a_manifest_without_lines(archive: Archive, target: Path) -> None:
    assert archive.export(target) == Exported((), 0, 0)
    assert manifest(target) == []


def test_a_zip_that_exists_is_kept_unless_forced(archive: Archive, target: Path) -> None:
    archive.bought(1, INDEX, PDF)
    target.write_bytes(b"kept")
    with pytest.raises(Refused, match=r"^batch\.zip exists already; --force replaces it\.$"):
        archive.export(target)
    assert target.read_bytes() == b"kept"
    archive.export(target, force=True)
    assert len(documents(target)) == 1


def test_a_zip_that_appears_meanwhile_is_kept(archive: Archive, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.bought(1, INDEX, PDF)

    def fetch(_bucket: str, _key: str) -> bytes:
        target.write_bytes(b"kept")
        return PDF

    monkeypatch.setattr(archive, "fetch", fetch)
    with pytest.raises(Refused):
        archive.export(target)
    assert target.read_bytes() == b"kept"


def test_buckets_that_are_away_leave_nothing_behind(archive: Archive, target: Path) -> None:
    archive.bought(1, INDEX, PDF)
    archive.away = True
    with pytest.raises(StoreUnavailable):
        archive.export(target)
    assert not target.exists()


def test_a_folder_that_is_not_there_is_one_sentence(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"^--output: nothing can be written into .*No such file or directory\.$"):
        archive.export(tmp_path / "absent" / "batch.zip")


def test_a_disk_without_links_still_gets_its_zip(
    archive: Archive, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(_source: Path, _target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("registre.orders.export.os.link", link)
    archive.bought(1, INDEX, PDF)
    archive.export(target)
    assert len(documents(target)) == 1
