"""`registre site …` over the database: forms, what has changed in them, options and sentences."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from registre.document import Source
from registre.errors import ErrorKind, InvalidInput, NotFound, Refused
from registre.forms import FormContract, FormField
from registre.job import JobId
from registre.matching import Option
from registre.sentences import Heard
from registre.site.profile import Sentence
from registre.wiring import Store
from tests.command import Run, in_this_process, said

PLACES = (Option("", ""), Option("01", "Abitibi"), Option("65", "Montréal"), Option("71", "L’Islet"))


def form(number: str) -> FormContract:
    select = FormField("select", "select-one", "selCircnFoncr", "selCircnFoncr", PLACES)
    return FormContract((), (select, FormField("input", "text", number, number)), ())


@pytest.fixture
def run(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return in_this_process(monkeypatch, dsn, tmp_path)


@pytest.fixture
def drifted(store: Store) -> Store:
    store.forms.observe(Source.INDEX, form("txtNumrtLot"))
    store.forms.observe(Source.ACTE, form("txtNoReqst"))
    store.forms.observe(Source.INDEX, form("txtNoLot"))
    return store


def test_each_source_shows_what_is_accepted_what_has_changed_and_what_is_frozen(drifted: Store, run: Run) -> None:
    acte, index, plan = json.loads(said(run("site", "forms", "--json")))
    assert (acte["source"], acte["accepted_by"], acte["difference"], acte["frozen"]) == ("acte", None, None, None)
    assert index["difference"] == "the field txtNumrtLot is gone; new field txtNoLot"
    assert "a person must look" in index["frozen"]
    assert index["drifted_since"] <= index["drifted_last_seen"]
    assert (plan["source"], plan["accepted_at"]) == ("plan_cadastraux", None)
    table = said(run("site", "forms"))
    for words in ("at first sight", "never seen", "frozen", "new field txtNoLot", "registre site accept SOURCE"):
        assert words in table


def test_a_person_accepts_and_orders_go_on(drifted: Store, run: Run) -> None:
    answer = said(run("site", "accept", "index", "--author", "marie"))
    assert "accepted as it is now: the field txtNumrtLot is gone" in answer
    assert "index is open again." in answer
    assert drifted.gates.closures() == []
    assert "by marie" in said(run("site", "forms"))
    for source in ("index", "plan"):
        refusal = run("site", "accept", source, "--author", "marie").exception
        assert isinstance(refusal, Refused)


def test_an_acceptance_says_as_json_whether_anything_was_held_back(drifted: Store, run: Run) -> None:
    answer = json.loads(said(run("site", "accept", "index", "--author", "marie", "--json")))
    assert answer["resumed"] is True
    assert answer["source"] == "index"


def test_the_options_of_a_select_are_what_match_reads(drifted: Store, run: Run, tmp_path: Path) -> None:
    options = said(run("site", "options", "index", "selCircnFoncr"))
    (tmp_path / "options.json").write_text(options, encoding="utf-8")
    found = said(run("match", "l'islet", "--field", "circonscription", "--options", "options.json", "--json"))
    assert json.loads(found)["choice"] == "71"


def test_what_is_not_known_is_a_sentence_that_names_what_is(drifted: Store, run: Run) -> None:
    wrong = run("site", "options", "index", "selX").exception
    assert isinstance(wrong, InvalidInput)
    assert str(wrong) == "field: 'selX' is no select of the form of index; there are: selCircnFoncr."
    unseen = run("site", "options", "plan", "selX").exception
    assert isinstance(unseen, NotFound)
    assert "registre site check" in str(unseen)
    assert isinstance(run("site", "accept", "indexes").exception, InvalidInput)


def test_unknown_sentences_say_how_to_class_them_in_the_profile(store: Store, run: Run) -> None:
    unknown = 'La demande "12" est refusée.'
    store.sentences.note(Heard(unknown, "index", ErrorKind.UNKNOWN_SENTENCE, True), None)
    for _ in range(2):
        store.sentences.note(Heard("Le document demandé est inexistant.", "acte", ErrorKind.NOT_FOUND, False), None)
    [row] = json.loads(said(run("site", "sentences", "--review", "--json")))
    assert (row["text"], row["kind"], row["count"]) == (unknown, "unknown_sentence", 1)
    first, _ = json.loads(said(run("site", "sentences", "--frequent", "--json")))
    assert first["count"] == 2
    shown = said(run("site", "sentences"))
    [entry] = tomllib.loads(shown[shown.index("[[sentences]]") :])["sentences"]
    assert Sentence.model_validate(entry).fragment == unknown


def test_what_was_never_classed_shows_on_its_order(store: Store, run: Run) -> None:
    from tests.contract.test_stores import ACTE, lease

    [held], _ = lease(store, ACTE)
    store.queue.fail(held, ErrorKind.UNKNOWN_SENTENCE, "Phrase inconnue.", needs_review=True)
    job: JobId = held.job_id
    assert "to be reviewed" in said(run("jobs", "list"))
    assert "registre site sentences --review" in said(run("jobs", "show", job))
    assert json.loads(said(run("jobs", "show", job, "--json")))["needs_review"] is True
