"""The site's forms and sentences, over the database and in memory: what is accepted, what drifts, and what is frozen by it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from registre.account import Seat
from registre.document import DocumentRequest, Source
from registre.errors import ErrorKind, Refused
from registre.forms import FormContract, FormField
from registre.gates import Gate, Scope
from registre.job import JobId, Lease, Order
from registre.matching import Option
from registre.sentences import MOST_SENTENCES, Heard, key_of
from registre.wiring import Store
from tests.memory.store import MemoryStore
from tests.property.machines.ports import STORES, Clock, store_factory

Known = Store | MemoryStore

MINUTE = timedelta(minutes=1)
LOT = DocumentRequest(Source.INDEX, "24A", "Montréal", "Paroisse de Montréal")


def form(*names: str, options: tuple[str, ...] = ("Abitibi", "Montréal")) -> FormContract:
    select = FormField("select", "select-one", "selCircnFoncr", "", tuple(Option(label, label) for label in options))
    return FormContract((), (select, *(FormField("input", "text", name, "") for name in names)), ())


FIRST, RENAMED, LONGER = (
    form("txtNumrtLot"),
    form("txtNoLot"),
    form("txtNumrtLot", options=("Abitibi", "Laval", "Hull")),
)
SAID = "the field txtNumrtLot is gone; new field txtNoLot"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=STORES)
def known(request: pytest.FixtureRequest, clock: Clock) -> Known:
    made = store_factory(request.param, request)(clock)
    assert isinstance(made, Store | MemoryStore)
    return made


def frozen(store: Known) -> dict[str, str]:
    return {closure.name: closure.reason for closure in store.gates.closures() if closure.gate is Gate.FROZEN}


def told(store: Known, *kinds: str) -> list[tuple[str, object]]:
    return [(event.kind, event.data["source"]) for event in store.views.events_after("") if event.kind in kinds]


def leased(store: Known) -> tuple[Lease, list[Seat]]:
    store.accounts.add("marie", "secret")
    store.queue.submit([Order(LOT)])
    seats = [seat for seat, _ in store.accounts.claim("host-a/1", 1, MINUTE)]
    [lease] = store.queue.lease_next("host-a/1", seats, MINUTE)
    return lease, seats


def test_the_first_form_of_each_source_is_accepted_by_itself_and_told(known: Known) -> None:
    for source in Source:
        assert known.forms.observe(source, FIRST) == ""
    assert {(f.source, f.contract, f.accepted_by) for f in known.forms.known()} == {(s, FIRST, None) for s in Source}
    assert all(f.accepted_at for f in known.forms.known())
    assert told(known, "form.accepted") == [("form.accepted", source) for source in Source]
    assert frozen(known) == {}


def test_any_other_form_is_kept_and_freezes_its_source_alone(known: Known) -> None:
    for source in (Source.INDEX, Source.ACTE):
        known.forms.observe(source, FIRST)
    assert known.forms.observe(Source.INDEX, RENAMED) == SAID
    assert known.forms.observe(Source.ACTE, FIRST) == ""
    assert list(frozen(known)) == ["index"]
    assert SAID in frozen(known)["index"]
    acte, accepted, drifted = known.forms.known()
    assert (acte.source, accepted.contract, drifted.contract) == (Source.ACTE, FIRST, RENAMED)
    assert (drifted.accepted_at, drifted.accepted_by) == (None, None)
    [event] = [event for event in known.views.events_after("") if event.kind == "form.drifted"]
    assert (event.data["source"], event.data["difference"]) == ("index", SAID)


def test_a_form_that_drifted_is_told_once_and_frozen_again_whenever_it_is_seen(known: Known) -> None:
    known.forms.observe(Source.INDEX, FIRST)
    for _ in range(3):
        known.forms.observe(Source.INDEX, RENAMED)
    assert len(told(known, "form.drifted")) == len(told(known, "source.frozen")) == 1
    assert known.gates.resume(Scope.SOURCE, "index", "marie")
    assert known.forms.observe(Source.INDEX, FIRST) == ""
    assert frozen(known) == {}
    assert known.forms.observe(Source.INDEX, RENAMED) == SAID
    assert list(frozen(known)) == ["index"]
    assert len(told(known, "form.drifted")) == 1


def test_a_person_accepts_and_the_source_goes_on_with_both_forms(known: Known) -> None:
    known.forms.observe(Source.INDEX, FIRST)
    known.forms.observe(Source.INDEX, RENAMED)
    assert known.forms.accept(Source.INDEX, "marie")
    assert frozen(known) == {}
    [now] = known.forms.known()
    assert (now.contract, now.accepted_by) == (RENAMED, "marie")
    assert [known.forms.observe(Source.INDEX, seen) for seen in (FIRST, RENAMED)] == ["", ""]
    assert known.forms.observe(Source.INDEX, LONGER).startswith("the field txtNoLot is gone")
    resumed = [event.data["author"] for event in known.views.events_after("") if event.kind == "gate.resumed"]
    assert resumed == ["marie"]


def test_accepting_wakes_whoever_waits_for_work(known: Known) -> None:
    rung = threading.Event()
    known.forms.observe(Source.INDEX, FIRST)
    known.forms.observe(Source.INDEX, RENAMED)
    listening = threading.Event()

    def ring(channel: str, payload: str) -> None:
        if channel == "registre_jobs":
            (rung if listening.is_set() else listening).set()

    stop = known.queue.listen(ring)
    try:
        assert listening.wait(10)
        known.forms.accept(Source.INDEX, "marie")
        assert rung.wait(10)
    finally:
        stop()


def test_what_did_not_drift_cannot_be_accepted(known: Known) -> None:
    with pytest.raises(Refused, match="No form of index was seen yet"):
        known.forms.accept(Source.INDEX, "marie")
    known.forms.observe(Source.INDEX, FIRST)
    with pytest.raises(Refused, match="Nothing drifted: the form of index"):
        known.forms.accept(Source.INDEX, "marie")
    known.forms.observe(Source.INDEX, RENAMED)
    assert known.gates.resume(Scope.SOURCE, "index", "marie")
    assert not known.forms.accept(Source.INDEX, "marie"), "it was not frozen any more"
    with pytest.raises(Refused, match="Nothing drifted"):
        known.forms.accept(Source.INDEX, "marie")


def test_the_last_of_several_drifts_is_accepted_and_settles_the_others(known: Known, clock: Clock) -> None:
    known.forms.observe(Source.INDEX, FIRST)
    for drifted in (RENAMED, LONGER, RENAMED):
        clock.pass_time(10)
        known.forms.observe(Source.INDEX, drifted)
    known.forms.accept(Source.INDEX, "marie")
    assert [(f.contract, f.accepted_by) for f in known.forms.known()] == [(RENAMED, "marie")]


def test_when_an_accepted_form_was_last_seen_is_noted_once_an_hour(known: Known, clock: Clock) -> None:
    began = clock.now
    seen = []
    for minutes in (0, 59, 1, 30, 30):
        clock.pass_time(60 * minutes)
        known.forms.observe(Source.INDEX, FIRST)
        seen.append(round((known.forms.known()[0].last_seen - began).total_seconds() / 60))
    assert seen == [0, 0, 60, 60, 120]


def test_a_page_that_is_another_at_each_visit_fills_no_table(known: Known, clock: Clock) -> None:
    known.forms.observe(Source.INDEX, FIRST)
    for number in range(25):
        clock.pass_time(1)
        known.forms.observe(Source.INDEX, form(f"token{number}"))
    assert len(told(known, "form.drifted")) == 25
    for number in (4, 24):
        clock.pass_time(1)
        known.forms.observe(Source.INDEX, form(f"token{number}"))
    assert len(told(known, "form.drifted")) == 26, "the oldest was forgotten, the newest was not"


@pytest.mark.parametrize("accepted", [True, False])
def test_an_attempt_that_began_before_its_form_was_accepted_does_not_freeze_it_anew(
    known: Known, clock: Clock, accepted: bool
) -> None:
    known.forms.observe(Source.INDEX, FIRST)
    lease, _ = leased(known)
    known.forms.observe(Source.INDEX, RENAMED)
    clock.pass_time(5)
    if accepted:
        known.forms.accept(Source.INDEX, "marie")
    else:
        known.gates.resume(Scope.SOURCE, "index", "marie")
    known.queue.snooze(lease, MINUTE, "The form of index has changed.", kind=ErrorKind.LAYOUT_CHANGED)
    assert list(frozen(known)) == ([] if accepted else ["index"])


def test_an_attempt_that_began_after_freezes_as_ever(known: Known, clock: Clock) -> None:
    known.forms.observe(Source.INDEX, FIRST)
    known.forms.observe(Source.INDEX, RENAMED)
    known.forms.accept(Source.INDEX, "marie")
    clock.pass_time(5)
    lease, _ = leased(known)
    known.queue.snooze(lease, MINUTE, "No field for the lot.", kind=ErrorKind.LAYOUT_CHANGED)
    assert list(frozen(known)) == ["index"]


def test_of_two_first_forms_met_at_one_instant_one_is_accepted(store: Store) -> None:
    contracts = [form(f"field{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda contract: store.forms.observe(Source.INDEX, contract), contracts))
    assert answers.count("") == 1
    assert list(frozen(store)) == ["index"]
    assert len([f for f in store.forms.known() if f.accepted_at]) == 1


def test_a_drift_is_told_against_the_form_that_counts_when_it_is_written(store: Store, dsn: str) -> None:
    """Another host accepts a form between our look and our word: we look again."""
    store.forms.observe(Source.INDEX, FIRST)
    store.forms.observe(Source.INDEX, LONGER)
    with psycopg.connect(dsn) as other:
        other.execute("select registre.accept_form('index', 'marie')")
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(store.forms.observe, Source.INDEX, RENAMED)
            other.commit()
            said = answer.result(20)
    assert "selCircnFoncr no longer offers 'Laval' and 'Hull'" in said


# -- sentences


def hear(store: Known, text: str, kind: ErrorKind = ErrorKind.NOT_FOUND, source: str = "index", job: str = "") -> None:
    heard = Heard(text, source, kind, kind is ErrorKind.UNKNOWN_SENTENCE)
    store.sentences.note(heard, JobId(job) if job else None)


def test_sentences_that_differ_by_numbers_are_one_as_it_was_first_said(known: Known, clock: Clock) -> None:
    began, job = clock.now, str(uuid4())
    for lot in ("2 784 195", "24A", "399-184"):
        hear(known, f"Le lot {lot} est inactif.", job=job if lot == "24A" else "")
        clock.pass_time(60)
    [sentence] = known.sentences.all()
    assert (sentence.text, sentence.count, sentence.source) == ("Le lot 2 784 195 est inactif.", 3, "index")
    assert (sentence.first_seen, sentence.last_seen) == (began, began + timedelta(seconds=120))
    assert sentence.last_job == job


def test_a_sentence_is_classed_as_it_was_last(known: Known) -> None:
    hear(known, "Motif 12.", ErrorKind.UNKNOWN_SENTENCE)
    assert [s.kind for s in known.sentences.all(review=True)] == ["unknown_sentence"]
    hear(known, "Motif 13.", ErrorKind.INVALID_ORDER)
    assert known.sentences.all(review=True) == []
    assert [(s.kind, s.count) for s in known.sentences.all()] == [("invalid_order", 2)]


def test_sentences_come_the_last_heard_first_or_the_most_frequent(known: Known, clock: Clock) -> None:
    for text, source in (("Inexistant.", "index"), ("Inexistant.", "index"), ("Fermé.", ""), ("Inexistant.", "acte")):
        hear(known, text, source=source)
        clock.pass_time(1)
    assert [(s.text, s.source) for s in known.sentences.all()] == [
        ("Inexistant.", "acte"), ("Fermé.", ""), ("Inexistant.", "index")
    ]  # fmt: skip
    assert [s.count for s in known.sentences.all(frequent=True)] == [2, 1, 1]
    assert len(known.sentences.all(limit=1)) == 1


def test_the_sentences_of_longest_ago_make_room(known: Known, clock: Clock) -> None:
    words = ["".join(chr(97 + (n // 26**k) % 26) for k in range(3)) for n in range(MOST_SENTENCES + 2)]
    for word in words:
        clock.pass_time(1)
        hear(known, f"Refus {word}.")
    kept = [sentence.text for sentence in known.sentences.all(limit=2000)]
    assert kept == [f"Refus {word}." for word in reversed(words[2:])]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Le lot 2 784 195 est inactif.", "le lot # est inactif"),
        ("La demande ne peut être traitée : motif 4471-B.", "la demande ne peut etre traitee motif # b"),
        ("24A, 25B et C", "# et c"),
        ("…", ""),
    ],
)
def test_the_key_of_a_sentence_has_neither_case_nor_accents_nor_numbers(text: str, key: str) -> None:
    assert key_of(text) == key
