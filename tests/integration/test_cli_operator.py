"""What an operator decides on the command line, and what an order that waits is told."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from registre.cli import app
from registre.errors import InvalidInput, NotFound, Refused, RegistreError
from registre.idleness import IdleEnd
from registre.job import Lease
from registre.ledger import Delivery, PurchaseId, SecuredFile
from registre.wiring import Store

LOT = ("index", "--number", "2 784 195", "--cadastre", "Cadastre du Québec")
MINUTE = timedelta(minutes=1)
Run = Callable[..., Result]


@pytest.fixture
def run(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in this process, on this test's database."""
    for name, value in {
        "DATABASE_URL": dsn,
        "REGISTRE_HOME": str(tmp_path),
        "REGISTRE_BUCKETS": str(tmp_path / "buckets"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, arguments, input=typed)

    return run


def out(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout.strip()


def refused(result: Result, kind: type[RegistreError]) -> str:
    assert isinstance(result.exception, kind), (result.output, result.exception)
    return str(result.exception)


def leased(store: Store) -> Lease:
    store.accounts.add("99T0001", "made up")
    [(seat, _)] = store.accounts.claim("host-a/boot", 1, MINUTE)
    [lease] = store.queue.lease_next("host-a/boot", [seat], MINUTE)
    return lease


def bought(store: Store, lease: Lease, tmp_path: Path, content: bytes = b"%PDF-1.7 made up") -> None:
    purchase = intended(store, lease)
    sha256 = hashlib.sha256(content).hexdigest()
    (tmp_path / "document").write_bytes(content)
    store.ledger.charge(purchase, lease, [])
    store.ledger.secure(purchase, SecuredFile(sha256, len(content), 1))
    key = lease.request.object_key(lease.until)
    store.bucket.put("index", key, tmp_path / "document", sha256)
    store.ledger.deliver(Delivery(purchase, sha256, "index", key))


def intended(store: Store, lease: Lease) -> PurchaseId:
    intent = store.ledger.intend(lease, "host-a")
    assert intent.purchase_id is not None, intent
    return intent.purchase_id


def test_a_pause_is_told_to_whoever_waits_and_ends_with_resume(run: Run) -> None:
    order = out(run("submit", *LOT))
    assert "no account is signed in" in out(run("why", order))
    assert (
        out(run("pause", "source", "index", "--reason", "form under review", "--author", "Ana"))
        == "source index is paused."
    )
    assert out(run("why", order)) == "source index is paused by Ana: form under review"
    assert out(run("why")) == "source index is paused by Ana: form under review"
    [closed] = json.loads(out(run("gates", "list", "--json")))["closed"]
    assert (closed["gate"], closed["scope"], closed["name"]) == ("pause", "source", "index")
    assert out(run("resume", "source", "index")) == "source index is open again."
    assert out(run("resume", "source", "index")) == "source index was not closed."
    assert out(run("gates", "list")) == "Nothing is closed."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pause", "site"), "reason: say why"),
        (("pause", "everything", "--reason", "x"), "scope: 'everything' is unknown"),
        (("pause", "site", "name", "--reason", "x"), "name: the site has no name"),
        (("pause", "source", "atlas", "--reason", "x"), "name: 'atlas' is no source"),
        (("pause", "client", "a\x1b[31m", "--reason", "x"), "name: control characters"),
        (("rules", "set", "pace", "1"), "rule: 'pace' is unknown"),
        (("rules", "set", "pace_seconds", "soon"), "value: 'soon' is not a number"),
        (("hours", "set", "mon-fri=22:00-08:00"), "hours: 'mon-fri=22:00-08:00' is not an opening"),
        (("hours", "set", "someday=08:00-22:00"), "hours: "),
        (("hours", "holiday", "25 décembre"), "day: '25 décembre' is not a day"),
        (("fees", "set", "cheap"), "amount: 'cheap' is not an amount"),
        (("fees", "set", "1,50", "--source", "atlas"), "source: 'atlas' is unknown"),
        (("budgets", "set", "site", "--cap", "-1"), "cap: '-1' is not an amount"),
        (("budgets", "set", "client", "--cap", "1"), "name: the site has no name; everything else has one"),
        (("budgets", "set", "account", "*", "--cap", "1", "--for", "total"), "for: 'total' is unknown"),
        (("costs", "report", "--by", "mood"), "by: 'mood' is unknown"),
        (("costs", "report", "--from", "2026-02-01", "--to", "2026-01-01"), "to: the last day is before the first"),
        (("events", "--after", "yesterday"), "after: 'yesterday' is no cursor"),
        (("batches", "show", "mai"), "batch: 'mai' is not an id"),
        (("submit", *LOT, "--deadline", "soon"), "deadline: 'soon' is not an instant"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, tuple) else None,
)  # fmt: skip
def test_a_wrong_word_is_one_sentence_naming_the_option(run: Run, arguments: tuple[str, ...], said: str) -> None:
    assert refused(run(*arguments), InvalidInput).startswith(said)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("pause", "account", "99X9999", "--reason", "x"), NotFound),
        (("rules", "set", "pace_seconds", "none"), Refused),
        (("rules", "set", "breaker_failures", "0"), Refused),
        (("budgets", "remove", "site"), NotFound),
        (("batches", "approve", "00000000-0000-0000-0000-000000000000"), NotFound),
        (("batches", "cancel", "00000000-0000-0000-0000-000000000000"), NotFound),
        (("export", "00000000-0000-0000-0000-000000000000"), NotFound),
        (("why", "00000000-0000-0000-0000-000000000000"), NotFound),
        (("jobs", "rebuy", "00000000-0000-0000-0000-000000000000", "--yes"), NotFound),
        (("jobs", "list", "--cursor", "x"), Refused),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, tuple) else None,
)
def test_what_a_rule_refuses_is_a_sentence(run: Run, arguments: tuple[str, ...], kind: type[RegistreError]) -> None:
    assert refused(run(*arguments), kind).endswith(".")


def test_rules_hours_fees_and_budgets_are_set_listed_and_told_with_their_author(run: Run) -> None:
    out(run("rules", "set", "fresh_index_hours", "48", "--author", "Ana"))
    out(run("hours", "set", "mon-fri=08:00-22:00", "sat=08:00-24:00"))
    out(run("hours", "holiday", "2026-12-25", "--name", "Noël"))
    out(run("hours", "quebec", "2027"))
    out(run("fees", "set", "1,55", "--from", "2027-04-01"))
    out(run("budgets", "set", "client", "*", "--cap", "1 500,50", "--for", "month"))
    assert json.loads(out(run("rules", "list", "--json")))["fresh_index_hours"] == 48
    hours = json.loads(out(run("hours", "list", "--json")))
    assert len(hours["hours"]) == 6
    assert {"2026-12-25", "2027-06-24"} <= {day["day"] for day in hours["holidays"]}
    assert "24:00" in out(run("hours", "list"))
    assert [fee["cents"] for fee in json.loads(out(run("fees", "list", "--json")))] == [150, 155]
    [budget] = json.loads(out(run("budgets", "list", "--json")))
    assert (budget["scope"], budget["name"], budget["cap_cents"], budget["used_cents"]) == ("client", "*", 150_050, 0)
    told = [json.loads(line) for line in out(run("events", "--json", "--limit", "100")).splitlines()]
    assert {"rule.changed", "hours.changed", "fee.changed", "budget.changed"} == {event["kind"] for event in told}
    assert told[0]["data"]["author"] == "Ana"
    out(run("hours", "set", "always"))
    assert "at any time" in out(run("hours", "list"))


def test_an_ambiguous_document_is_bought_again_or_given_up_by_a_person(run: Run, store: Store) -> None:
    order = out(run("submit", *LOT))
    lease = leased(store)
    store.ledger.mark_ambiguous(intended(store, lease), lease, "the browser broke")
    assert "ambiguous_purchase" in out(run("jobs", "list", "--kind", "ambiguous_purchase"))
    assert run("jobs", "rebuy", order, typed="n\n").exit_code == 1
    assert store.views.job(lease.job_id).error_kind == "ambiguous_purchase"
    assert out(run("jobs", "rebuy", order, "--not-billed", "--yes")).endswith("waits to be bought again.")
    assert [line.state for line in store.ledger.lines()] == ["void"]
    assert "nothing to settle" not in out(run("why", order))
    assert "no purchase to decide" in refused(run("jobs", "abandon", order), Refused)


def test_a_batch_is_priced_approved_and_exported(run: Run, store: Store, tmp_path: Path) -> None:
    (tmp_path / "mai.csv").write_text(
        "type;lot;cadastre\nindex;2 784 195;Cadastre du Québec\nindex;;Cadastre du Québec\n"
    )
    out(run("rules", "set", "approval_above_cents", "100"))
    assert "1,50" in run("import", "mai.csv", "--dry-run").stdout
    assert store.views.jobs() == []
    said = run("import", "mai.csv", "--yes", "--author", "Ana")
    assert said.exit_code == 3
    [batch] = store.batches.all()
    assert (batch.name, batch.price_cents, batch.waits_for_approval) == ("mai", 150, True)
    [job] = store.views.jobs()
    assert "waits for approval" in out(run("why", job.id))
    assert "registre batches approve" in out(run("batches", "show", batch.id))
    out(run("batches", "approve", batch.id, "--author", "Ana"))
    assert "waits for no approval" in refused(run("batches", "approve", batch.id), Refused)
    bought(store, leased(store), tmp_path)
    assert "1/1" in out(run("batches", "list"))
    out(run("export", batch.id, "--output", "mai.zip"))
    with zipfile.ZipFile(tmp_path / "mai.zip") as archive:
        [line] = csv.DictReader(
            io.StringIO(archive.read("manifest.csv").decode("utf-8-sig"), newline=""), delimiter=";"
        )
        assert archive.read(line["file"]) == b"%PDF-1.7 made up"
    assert (line["compared"], line["cost_cents"], line["reused"]) == ("yes", "150", "no")
    assert (tmp_path / "mai.rejects.csv").exists()


def test_what_was_spent_is_reported_by_whatever_is_asked_and_as_csv(run: Run, store: Store, tmp_path: Path) -> None:
    out(run("submit", *LOT, "--client", "=Roy"))
    bought(store, leased(store), tmp_path)
    again = out(run("submit", *LOT, "--client", "Tremblay"))
    assert json.loads(out(run("jobs", "show", again, "--json")))["cost_cents"] == 0
    out(run("costs", "report", "--by", "client", "--csv", "costs.csv"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "costs.csv").read_text("utf-8-sig"))))
    assert [(row["client"], row["documents_cents"], row["reused"]) for row in rows] == [
        ("'=Roy", "150", "0"),
        ("Tremblay", "0", "1"),
    ]
    for by in ("day", "account", "source", "batch"):
        [line] = [r for r in json.loads(out(run("costs", "report", "--by", by, "--json")))["lines"] if r["documents"]]
        assert (line["documents"], line["documents_cents"]) == (1, 150)


def test_pages_of_a_listing_follow_one_another(run: Run) -> None:
    for number in range(1_000_001, 1_000_006):
        out(run("submit", "index", "--number", str(number), "--cadastre", "Cadastre du Québec"))
    told: list[str] = []
    cursor: tuple[str, ...] = ()
    for _ in range(3):
        page = json.loads(out(run("jobs", "list", "--limit", "2", "--json", *cursor)))
        told += [job["request"]["number"] for job in page["jobs"]]
        cursor = ("--cursor", page["next_cursor"])
    assert told == [str(number) for number in range(1_000_005, 1_000_000, -1)]
    assert page["next_cursor"] is None


def test_the_idle_limit_that_was_learnt_is_shown_to_people_and_programs(run: Run, store: Store) -> None:
    nothing = {"learnt_seconds": None, "learnt_at": None, "longest_survived_seconds": 0.0}
    assert json.loads(out(run("accounts", "idle-limit", "--json"))) == nothing
    assert out(run("accounts", "idle-limit")) == "idle limit: that of the site's profile, nothing else was learnt"
    store.idleness.note(IdleEnd(600, survived=True), timedelta(minutes=20))
    store.idleness.note(IdleEnd(1050, survived=False), timedelta(minutes=20))
    said = out(run("accounts", "list")).splitlines()[-1]
    assert said.startswith("idle limit: 17 min 30 s, learnt ")
    assert said.endswith("; a session has lived through 10 min 0 s")
    learnt = json.loads(out(run("accounts", "idle-limit", "--json")))
    assert (learnt["learnt_seconds"], learnt["longest_survived_seconds"]) == (1050, 600)


def test_hosts_are_listed_with_how_they_stand_and_what_they_hold(run: Run, store: Store) -> None:
    assert json.loads(out(run("hosts", "list", "--json"))) == []
    store.fleet.register_host("host-a", "boot", "1.2.3", "a" * 32, MINUTE)
    store.fleet.register_host("host-b", "boot", "1.2.2", "b" * 32, timedelta(0))
    store.fleet.take_upkeep("host-a/boot", MINUTE)
    store.accounts.add("99T0001", "made up")
    store.accounts.claim("host-a/boot", 1, MINUTE)
    listed = json.loads(out(run("hosts", "list", "--json")))
    assert [(h["host"], h["state"], h["version"], h["accounts"], h["does_upkeep"]) for h in listed] == [
        ("host-a", "alive", "1.2.3", 1, True),
        ("host-b", "silent", "1.2.2", 0, False),
    ]
    shown = out(run("hosts", "list"))
    assert "● alive" in shown
    assert "✗ silent" in shown


def test_alerts_are_judged_when_they_are_listed(run: Run, store: Store) -> None:
    assert json.loads(out(run("alerts", "list", "--json"))) == []
    store.accounts.add("99T0001", "made up")
    [(seat, _)] = store.accounts.claim("host-a/boot", 1, MINUTE)
    store.accounts.set_aside(seat, "The password was refused.", None)
    [alert] = json.loads(out(run("alerts", "list", "--json")))
    assert (alert["kind"], alert["subject"]) == ("account_set_aside", "99T0001")
    assert alert["sentence"] == "The account 99T0001 is set aside: The password was refused."
    assert "registre accounts add 99T0001" in " ".join(out(run("alerts", "list")).split())
    store.accounts.restore("99T0001", "marie")
    assert json.loads(out(run("alerts", "list", "--json"))) == []
    [over] = json.loads(out(run("alerts", "list", "--all", "--json")))
    assert over["closed_at"] is not None
