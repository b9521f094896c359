"""The command line refuses in one sentence, says who must act by its exit code, and shows hostile texts harmlessly."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from registre.document import DocumentRequest, Source
from registre.errors import ErrorKind
from registre.job import JobId, Lease, Order
from registre.plain import harmless
from registre.wiring import Store
from tests.command import ENTRY, Said, registre
from tests.processes import environment

QUEBEC = ("--cadastre", "Cadastre du Québec")
LOT = ("--number", "24A", "--circonscription", "Gaspé", "--cadastre", "Village de Gaspé")

BAD_ORDERS = {
    "an unknown source": (("testament", "--number", "12"), "document_source"),
    "an empty source": (("", "--number", "12"), "document_source"),
    "no number": (("index", *QUEBEC), "document_number"),
    "a blank number": (("index", "--number", " \u00a0\u2009", *QUEBEC), "document_number"),
    "a number without digits": (("index", "--number", "A-B", *QUEBEC, "--circonscription", "Gaspé"), "document_number"),
    "a number that is a sentence": (("acte", "--number", "12; drop table", "--acte-type", "Acte"), "document_number"),
    "a number absurdly long": (("index", "--number", "1" * 5000, *QUEBEC), "document_number"),
    "no cadastre": (("index", "--number", "2 784 195"), "cadastre"),
    "a blank cadastre": (("plan", "--number", "2 784 195", "--cadastre", "  "), "cadastre"),
    "a cadastre absurdly long": (("index", "--number", "2 784 195", "--cadastre", "é" * 5000), "cadastre"),
    "a cadastre that colours the terminal": (("index", "--number", "24A", "--cadastre", "a\x1b[31mb"), "cadastre"),
    "an old lot without its circonscription": (
        ("index", "--number", "999 999", "--cadastre", "Village de Gaspé"),
        "circonscription_fonciere",
    ),
    "an acte without its circonscription": (
        ("acte", "--number", "25616321", "--acte-type", "Acte"),
        "circonscription_fonciere",
    ),
    "an acte without its type": (("acte", "--number", "25616321", "--circonscription", "Montréal"), "acte_type"),
    "a designation of two lines": (("index", *LOT, "--designation", "Rang 1\nRang 2"), "designation_secondaire"),
    "a name in another encoding": (("index", "--number", "24A", "--cadastre", b"Gasp\xe9"), "cadastre"),
    "a client absurdly long": (("index", *LOT, "--client", "x" * 101), "client"),
    "a client that colours the terminal": (("index", *LOT, "--client", "\x1b[31mme"), "client"),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that no command has used yet."""
    return tmp_path / "home"


@pytest.fixture
def on_database(home: Path, dsn: str) -> Callable[..., Said]:
    """The command on this test's database."""

    def run(*arguments: str, stdin: bytes = b"", **settings: str) -> Said:
        return registre(home, *arguments, stdin=stdin, DATABASE_URL=dsn, **settings)

    return run


Run = Callable[..., Said]


@pytest.mark.parametrize(("arguments", "field"), BAD_ORDERS.values(), ids=BAD_ORDERS)
def test_a_bad_order_is_refused_in_one_sentence_naming_the_field(
    home: Path, arguments: tuple[str | bytes, ...], field: str
) -> None:
    said = registre(home, "submit", *arguments)
    assert said.code == 2
    assert said.sentence.startswith(f"{field}: ")
    assert len(said.sentence) < 300
    assert not home.exists(), "nothing is started for an order that cannot be taken"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("jobs", "show", "nonsense"), "job id"),
        (("jobs", "retry", "\x1b[31m"), "job id"),
        (("jobs", "cancel", ""), "job id"),
        (("jobs", "list", "--status", "Complété"), "status"),
        (("accounts", "add", "bob"), "username"),
        (("accounts", "add", "99T0001"), "password"),
        (("twin", "--ledger", "/nowhere/bill.jsonl"), "ledger"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_argument_is_refused_in_one_sentence_before_anything_starts(
    home: Path, arguments: tuple[str, ...], field: str
) -> None:
    said = registre(home, *arguments)
    assert said.code == 2
    assert said.sentence.startswith(f"{field}: ")
    assert "\x1b" not in said.err
    assert not home.exists()


def test_an_option_out_of_its_bounds_exits_2_without_a_traceback(home: Path) -> None:
    said = registre(home, "submit", "index", *LOT, "--priority", "99999")
    assert (said.code, said.out) == (2, "")
    assert "--priority" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "arguments", [("jobs", "list"), ("submit", "index", *LOT), ("up",), ("tasks",), ("api",), ("db", "status")]
)
def test_a_database_that_does_not_answer_is_one_sentence_and_75(home: Path, arguments: tuple[str, ...]) -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"postgresql://me:s3cret@127.0.0.1:{taken.getsockname()[1]}/registre"
        said = registre(home, *arguments, DATABASE_URL=address)
    assert said.code == 75
    assert "does not answer" in said.sentence
    assert "s3cret" not in said.err


@pytest.mark.parametrize("address", ["postgres//me:s3cret@host/registre", "mysql://me:s3cret@host/registre", "s3cret"])
def test_a_malformed_address_is_one_sentence_and_78_and_is_not_repeated(home: Path, address: str) -> None:
    said = registre(home, "jobs", "list", DATABASE_URL=address)
    assert said.code == 78
    assert "DATABASE_URL" in said.sentence
    assert "s3cret" not in said.err


def test_a_wrong_folder_of_postgres_is_one_sentence_and_78(public_home: Path, tmp_path: Path) -> None:
    said = registre(public_home, "jobs", "list", PG_BIN=str(tmp_path))
    assert said.code == 78
    assert str(tmp_path) in said.sentence


@pytest.mark.parametrize("setting", ["REGISTRE_MAX_SESSIONS", "REGISTRE_LOG", "REGISTRY_BASE_URL", "REGISTRE_HOST"])
def test_a_wrong_setting_is_one_sentence_naming_it_and_78(home: Path, setting: str) -> None:
    said = registre(home, "jobs", "list", stdin=b"", **{setting: "no such, thing"})
    assert said.code == 78
    assert said.sentence.startswith(f"{setting} is wrong")


@pytest.mark.parametrize("arguments", [("jobs", "list"), ("up",), ("demo",)])
def test_a_home_that_cannot_be_written_is_one_sentence_and_78(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("in the way")
    said = registre(tmp_path / "file" / "home", *arguments)
    assert said.code == 78
    assert "home" in said.sentence


def test_a_chromium_that_is_no_file_is_one_sentence_and_78(on_database: Run, tmp_path: Path) -> None:
    said = on_database("up", REGISTRE_CHROMIUM=str(tmp_path / "no-chromium"))
    assert said.code == 78
    assert "REGISTRE_CHROMIUM" in said.sentence


def test_a_port_that_is_taken_is_one_sentence_and_75(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = registre(home, "twin", "--port", str(port))
    assert said.code == 75
    assert str(port) in said.sentence


def test_made_up_accounts_never_meet_a_database_that_may_be_real(on_database: Run, store: Store) -> None:
    said = on_database("up", "--twin")
    assert said.code == 4
    assert "DATABASE_URL" in said.sentence
    assert store.accounts.all() == []


def test_the_twins_accounts_never_meet_the_real_site(on_database: Run, store: Store) -> None:
    store.accounts.add("99T0001", "twin-password-1")
    said = on_database("up")
    assert said.code == 4
    assert "made-up accounts" in said.sentence


def test_a_password_goes_in_by_stdin_and_comes_out_nowhere(
    on_database: Run, store: Store, dsn: str, home: Path
) -> None:
    password = "pâss: word=s3cret [red]"
    said = on_database("accounts", "add", "12a3456", stdin=f"{password}\n".encode(), REGISTRE_LOG="DEBUG")
    assert (said.code, said.out, said.err) == (0, "12A3456 is added.\n", "")
    again = on_database("accounts", "add", "12A3456", stdin=f"{password}\r\n".encode())
    assert again.out == "12A3456 is updated.\n"
    ((_, credentials),) = store.accounts.claim("host/boot", 1, timedelta(seconds=5))
    assert credentials.password == password
    shown = [
        on_database("accounts", "list"),
        on_database("accounts", "list", "--json"),
        on_database("jobs", "list", "--json"),
    ]
    assert [s.code for s in shown] == [0, 0, 0]
    assert shown[1].json[0]["username"] == "12A3456"
    with psycopg.connect(dsn) as connection:
        events = str(connection.execute("select kind, data from registre.events").fetchall())
    assert "account.added" in events
    for text in (said.err, again.err, events, repr(credentials), *(s.out + s.err for s in shown)):
        assert "s3cret" not in text
        assert "pâss" not in text
    assert not home.exists()


@pytest.mark.parametrize("line", [b"p\xe9ss\n", b"p\x00ss\n", b"\x1b[200~p\x1b[201~\n", b"\n", b""], ids=repr)
def test_a_password_that_cannot_be_one_is_refused(on_database: Run, store: Store, line: bytes) -> None:
    said = on_database("accounts", "add", "12A3456", stdin=line)
    assert said.code == 2
    assert said.sentence.startswith("password: ")
    assert store.accounts.all() == []


def test_the_schemas_state_is_told_before_and_after_the_upgrade(home: Path, empty_dsn: str) -> None:
    before = registre(home, "db", "status", DATABASE_URL=empty_dsn)
    assert (before.code, before.err) == (1, "")
    assert "pending: 0001_base" in before.out
    assert registre(home, "db", "status", "--json", DATABASE_URL=empty_dsn).json["applied"] == []
    upgraded = registre(home, "db", "upgrade", DATABASE_URL=empty_dsn)
    assert (upgraded.code, upgraded.err) == (0, "")
    assert "0001_base" in upgraded.out
    after = registre(home, "db", "status", DATABASE_URL=empty_dsn)
    assert (after.code, after.err) == (0, "")
    assert "pending: nothing" in after.out
    assert registre(home, "db", "upgrade", DATABASE_URL=empty_dsn).out == "nothing to apply\n"
    assert empty_dsn not in before.out + after.out


def test_an_order_is_followed_from_its_submission_to_its_cancellation_and_retry(on_database: Run, store: Store) -> None:
    submitted = on_database("submit", "plan", "--number", "2 784 195", *QUEBEC, "--client", "étude", "--json")
    assert (submitted.code, submitted.err) == (0, "")
    order = submitted.json["id"]
    assert submitted.json["status"] == "En attente"
    assert submitted.json["request"]["source"] == "plan_cadastraux"
    plain = on_database("submit", "index", *LOT)
    assert str(uuid.UUID(plain.out.strip())) == plain.out.strip()

    listed = on_database("jobs", "list")
    assert order in listed.out
    assert "2 En attente" in listed.out
    assert [job["id"] for job in on_database("jobs", "list", "--json").json["jobs"]] == [plain.out.strip(), order]
    assert on_database("jobs", "list", "--status", "failed", "--json").json["jobs"] == []
    assert len(on_database("jobs", "list", "--limit", "1", "--json").json["jobs"]) == 1

    refused = on_database("jobs", "retry", order)
    assert refused.code == 4
    assert "En attente" in refused.sentence
    assert on_database("jobs", "cancel", order).out == f"{order} is cancelled.\n"
    again = on_database("jobs", "cancel", order)
    assert again.code == 4
    assert "Erreur" in again.sentence
    shown = on_database("jobs", "show", order)
    assert (shown.code, shown.err) == (0, "")
    for word in ("✗ Erreur", "plan_cadastraux 2 784 195", "cancelled", "job.submitted"):
        assert word in shown.out
    assert on_database("jobs", "retry", order).out == f"{order} waits again.\n"
    story = on_database("jobs", "show", order, "--json").json
    assert story["status"] == "En attente"
    assert [event["kind"] for event in story["events"]] == ["job.submitted", "job.failed", "job.requeued"]
    assert store.views.job(JobId(order)).client == "étude"


def test_an_order_that_does_not_exist_is_one_sentence_and_1(on_database: Run) -> None:
    for verb in ("show", "retry", "cancel"):
        said = on_database("jobs", verb, str(uuid.uuid4()))
        assert said.code == 1
        assert "No job has" in said.sentence


HOSTILE = "[red]x[/red] [/] [link=http://evil]\x1b[2J\x1b]0;owned\x07\x9b31m\u202egpj.exe\r\n:smile:"


def test_hostile_texts_of_rows_are_shown_and_not_obeyed(on_database: Run, store: Store, dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        order = connection.execute(
            "insert into extraction_queue (document_source, document_number, cadastre, client) "
            "values ('index', %(text)s, %(text)s, %(text)s) returning id::text",
            {"text": HOSTILE},
        ).fetchone()
        assert order is not None
        connection.execute("insert into worker_accounts (username, password) values (%s, 'x')", [HOSTILE])
    lease = lease_of(store, order[0])
    store.queue.fail(lease, ErrorKind.UNKNOWN_SENTENCE, HOSTILE)
    for arguments in (
        ("jobs", "list"),
        ("jobs", "show", order[0]),
        ("accounts", "list"),
        ("jobs", "list", "--json"),
        ("jobs", "show", order[0], "--json"),
    ):
        said = on_database(*arguments, FORCE_COLOR="1", COLUMNS="240")
        assert (said.code, said.err) == (0, ""), arguments
        assert not re.search(r"[\x07\r\x7f-\x9f\u202a-\u202e]", said.out), arguments
        # the terminal obeys our own colours and nothing else
        assert set(re.findall(r"\x1b.{0,6}", re.sub(r"\x1b\[[0-9;]*m", "", said.out))) == set(), arguments
        plain = re.sub(r"\x1b\[[0-9;]*m|\s", "", said.out)
        for markup in ("[red]x[/red][/]", "[link=http://evil]"):
            assert markup in plain, arguments
        assert ":smile:" in plain, arguments
    assert on_database("jobs", "list", "--json").json["jobs"][0]["error_message"] == HOSTILE


def lease_of(store: Store, order: str) -> Lease:
    ((seat, _),) = store.accounts.claim("host/boot", 1, timedelta(minutes=1))
    (lease,) = store.queue.lease_next("host/boot", [seat], timedelta(minutes=1))
    assert lease.job_id == order
    return lease


def test_harmless_text_stays_as_it_is() -> None:
    text = "Cité de Montréal (quartier Sainte-Marie) — 1,50\u00a0$ ✓ «É» [red] \\x1b"
    assert harmless(text) == text


def test_a_reader_that_goes_away_gets_no_traceback(home: Path, dsn: str, store: Store) -> None:
    store.queue.submit([Order(DocumentRequest(Source.INDEX, str(n), "Montréal", "x")) for n in range(300)])
    for arguments in (["jobs", "list", "--limit", "300"], ["jobs", "list", "--limit", "300", "--json"]):
        with subprocess.Popen(
            [*ENTRY, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(home, DATABASE_URL=dsn),
            cwd=home.parent,
        ) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            os.read(child.stdout.fileno(), 1)
            child.stdout.close()
            err = child.stderr.read().decode()
            child.wait(30)
        assert err == ""
