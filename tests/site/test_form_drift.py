"""A form that changed freezes its source and no other, before anything is chosen in it; a person accepts it, and orders go on.

site.md 3 and 10: renamed and moved fields, option lists that grew, shrank or have other codes, 000001 labelled "Québec".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from registre import fate
from registre.account import Seat
from registre.document import DocumentRequest, Source
from registre.errors import DatabaseUnavailable, ErrorKind, LayoutChanged, SiteUnavailable
from registre.extraction import Ended, Extraction, Means, Secured
from registre.forms import FormContract
from registre.gates import Gate, Scope
from registre.job import JobId, Lease, Order, Status
from registre.ports import FormBook
from registre.site.chromium import find_chromium
from registre.site.profile import load_profile
from registre.site.registry import SiteRegistry
from registre.site.watch import FormWatch
from registre.spool import Spool
from registre.wiring import Store
from tests.memory.site import MemoryForms
from tests.memory.store import MemoryStore
from tests.site.visit import ACTE, ACTE_OF_A_LIST, INDEX, OLD_LOT, QUEBEC, Visit

LOT = DocumentRequest(Source.INDEX, "2 784 196", "Montréal", QUEBEC)

# fault, its value, the source that changes, an order of it, an order of a source that does not change, what is said
FAULTS = [
    ("renamed_field", "txtNumrtLot", INDEX, ACTE, "the field txtNumrtLot is gone; new field txtNumrtLotNouv"),
    ("moved_field", "selCadst", INDEX, ACTE, "stands in another place"),
    ("options_added", "selTypeDocmn", ACTE, INDEX, "selTypeDocmn newly offers 'Acte (nouveau)'"),
    ("options_removed", "Radiation", ACTE, INDEX, "selTypeDocmn no longer offers 'Radiation'"),
    ("options_recoded", "selTypeDocmn", ACTE, INDEX, "of selTypeDocmn has the value 'R"),
    ("quebec_label", "Québec", INDEX, ACTE, "'Cadastre du Québec' of selCadst is now called 'Québec'"),
]


class Counted(MemoryForms):
    """Counts how often it is asked, and keeps what it is shown."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        super().__init__(self.store.state)
        self.shown: list[FormContract] = []

    def observe(self, source: Source, contract: FormContract) -> str:
        self.shown.append(contract)
        return super().observe(source, contract)


@dataclass
class Office:
    """One account's orders, one after the other, on the twin and a database; its forms were all seen once."""

    visit: Visit
    store: Store
    spool: Spool
    folder: Path
    seats: list[Seat] = field(default_factory=list)

    def order(self, request: DocumentRequest) -> JobId:
        return self.store.queue.submit([Order(request, fresh=True)])[0]

    def lease(self) -> Lease | None:
        leases = self.store.queue.lease_next("host-a/1", self.seats, timedelta(minutes=5))
        return leases[0] if leases else None

    def work(self) -> Secured | Ended | None:
        """The next order, to its end; None when none may start."""
        lease = self.lease()
        if lease is None:
            return None
        means = Means(
            self.store.queue, self.store.ledger, self.spool, "host-a", self.folder / "evidence", self.store.sentences
        )
        return Extraction(means, lease, self.visit.signed_in(), lambda _: None).run()

    @property
    def frozen(self) -> dict[str, str]:
        return {c.name: c.reason for c in self.store.gates.closures() if c.gate is Gate.FROZEN}


@pytest.fixture(scope="module")
def one_watching(one_visit: Visit) -> Iterator[Visit]:
    """The same twin, through one browser for the tests of this module."""
    chromium = find_chromium(None)
    assert chromium is not None
    registry = SiteRegistry(base_url=one_visit.twin.base_url, profile=load_profile(), chromium=chromium)
    yield Visit(one_visit.twin, registry, registry)
    registry.close()


@pytest.fixture
def watching(one_watching: Visit) -> Iterator[Visit]:
    yield one_watching
    one_watching.leave()


def hold_against(visit: Visit, forms: FormBook) -> None:
    """As after a start of the process: of what these hold, nothing is known yet."""
    visit.patient._watch = FormWatch(forms)


@pytest.fixture(scope="module")
def seen(one_watching: Visit) -> dict[Source, FormContract]:
    """The form of each source, as a session finds it."""
    forms = Counted()
    hold_against(one_watching, forms)
    session = one_watching.signed_in()
    for request in (INDEX, ACTE, DocumentRequest(Source.PLAN, "3 456 789", "Montréal", QUEBEC)):
        session.fill(request)
    one_watching.leave()
    known = forms.known()
    assert {(form.source, form.accepted_by) for form in known} == {(source, None) for source in Source}
    return {form.source: form.contract for form in known}


@pytest.fixture
def office(watching: Visit, store: Store, seen: dict[Source, FormContract], tmp_path: Path) -> Office:
    hold_against(watching, store.forms)
    store.gates.set_rule("pace_seconds", 0, "a test")
    store.accounts.add("99T0001", "twin-password-1")
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    office = Office(watching, store, spool, tmp_path)
    office.seats = [seat for seat, _ in store.accounts.claim("host-a/1", 1, timedelta(hours=1))]
    for source, contract in seen.items():
        assert store.forms.observe(source, contract) == ""
    return office


def mend_profile(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person does who accepts a renamed field."""
    profile = load_profile()
    index = profile.forms[Source.INDEX].model_copy(update={"number": 'input[name="txtNumrtLotNouv"]'})
    mended = profile.model_copy(update={"forms": {**profile.forms, Source.INDEX: index}})
    monkeypatch.setattr(visit.patient, "_profile", mended)


@pytest.mark.parametrize(("fault", "value", "changed", "other", "said"), FAULTS, ids=[fault for fault, *_ in FAULTS])
def test_a_form_that_changed_freezes_its_source_until_a_person_accepts_it(
    fault: str,
    value: str,
    changed: DocumentRequest,
    other: DocumentRequest,
    said: str,
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = len(office.visit.bill)
    job = office.order(changed)
    office.visit.twin.faults.set(fault, value)
    ended = office.work()
    assert isinstance(ended, Ended)
    assert (ended.fate.job, ended.fate.kind) == (fate.Job.SNOOZE, ErrorKind.LAYOUT_CHANGED)
    assert list(office.frozen) == [changed.source]
    assert said in office.frozen[changed.source]
    waiting = office.store.views.job(job)
    assert (waiting.status, waiting.attempts) == (Status.WAITING, 0)
    [attempt] = office.store.views.attempts(job)
    assert attempt.evidence is not None
    assert {file.suffix for file in Path(attempt.evidence).iterdir()} >= {".png", ".html"}
    # the source waits, another goes on
    office.order(changed)
    assert office.work() is None
    office.order(other)
    assert isinstance(office.work(), Secured)
    assert [line.source for line in office.visit.bill[before:]] == [other.source]
    assert office.store.forms.accept(changed.source, "marie")
    assert office.frozen == {}
    if fault == "renamed_field":
        mend_profile(office.visit, monkeypatch)
    assert isinstance(office.work(), Secured)
    assert [line.source for line in office.visit.bill[before:]] == [other.source, changed.source]


def test_an_option_an_order_needs_that_is_gone_puts_the_order_off_and_does_not_end_it(office: Office) -> None:
    job = office.order(ACTE)
    office.visit.twin.faults.set("options_removed", "Acte")
    office.work()
    assert office.store.views.job(job).status is Status.WAITING
    assert list(office.frozen) == ["acte"]
    office.store.forms.accept(Source.ACTE, "marie")
    again = office.order(ACTE_OF_A_LIST)
    office.work()
    assert office.store.views.job(again).error_kind == ErrorKind.AMBIGUOUS_OPTION, (
        "a person said that the list is right"
    )


def test_a_source_that_was_only_resumed_freezes_again_at_the_next_order(office: Office) -> None:
    before = len(office.visit.bill)
    office.visit.twin.faults.set("moved_field", "selCadst")
    office.order(INDEX)
    office.work()
    assert office.store.gates.resume(Scope.SOURCE, "index", "marie")
    office.order(LOT)
    assert isinstance(office.work(), Ended)
    assert list(office.frozen) == ["index"]
    assert len(office.visit.bill) == before


def test_a_drift_seen_while_signing_in_freezes_the_index_and_stops_nobody_else(office: Office) -> None:
    office.visit.twin.faults.set("moved_field", "selCadst")
    session = office.visit.open()
    session.sign_in()
    assert list(office.frozen) == ["index"]
    session.fill(ACTE)
    office.order(INDEX)
    assert office.work() is None
    office.order(ACTE)
    assert isinstance(office.work(), Secured)


def test_a_form_that_cannot_be_judged_without_the_database_drops_the_order_and_buys_nothing(office: Office) -> None:
    class Away(MemoryForms):
        def observe(self, source: Source, contract: FormContract) -> str:
            raise DatabaseUnavailable("The database does not answer.")

    before = len(office.visit.bill)
    hold_against(office.visit, Away(MemoryStore().state))
    job = office.order(INDEX)
    ended = office.work()
    assert isinstance(ended, Ended)
    assert ended.fate.job is fate.Job.DROP
    assert office.store.ledger.lines(job) == []
    assert len(office.visit.bill) == before


def test_what_differs_between_visits_is_no_drift(watching: Visit, target: Path) -> None:
    """Other accounts and encodings, a notice, choices and numbers left from a visit before, a form that reloads or not."""
    forms = Counted()
    for account, fault in enumerate(("", "windows_1252", "notice")):
        watching.twin.faults.update({fault: True, "acte_form_reloads": True} if fault else {})
        hold_against(watching, forms)
        session = watching.open(account)
        session.sign_in()
        for request in (OLD_LOT, ACTE, INDEX):
            session.fill(request)
        watching.twin.faults.clear()
    assert forms.store.gates.closures() == []
    assert len({contract.fingerprint for contract in forms.shown}) == 2


def test_a_form_that_is_known_is_not_asked_about_again(watching: Visit, target: Path) -> None:
    forms = Counted()
    hold_against(watching, forms)
    session = watching.signed_in()
    for request in (INDEX, OLD_LOT, INDEX):
        session.fill(request)
    assert len(forms.shown) == 1


def test_the_contract_names_what_the_form_is_made_of(watching: Visit) -> None:
    forms = Counted()
    hold_against(watching, forms)
    watching.signed_in().fill(ACTE)
    contract = forms.shown[-1]
    assert [field.name for field in contract.fields] == ["txtEtat", "selCircnFoncr", "selTypeDocmn", "txtNoReqst"]
    assert [(button.name, button.caption) for button in contract.buttons] == [
        ("btnEfacr", "Effacer"),
        ("btnRechr", "Rechercher"),
        ("btnRetr", "Retour au menu"),
    ]
    types = contract.options("selTypeDocmn") or ()
    assert [option.label for option in types] == ["", "Acte", "Avis d’adresse", "Radiation", "Acte divers"]
    assert "25616321" not in str(contract)


def test_half_a_page_is_neither_a_first_form_nor_a_drift(watching: Visit) -> None:
    forms = Counted()
    session = watching.signed_in()
    hold_against(watching, forms)
    for _ in range(3):
        watching.twin.faults.set("cut", {"count": 1, "page": "form"})
        session = watching._open(0, hasty=False)
        refusal = watching.refusal(lambda: session.fill(INDEX))  # noqa: B023 - called at once
        assert isinstance(refusal, SiteUnavailable)
        session.close()
    assert forms.shown == []


def test_a_page_that_is_not_the_form_is_never_taken_for_its_first(watching: Visit) -> None:
    forms = Counted()
    session = watching.signed_in()
    watching.twin.faults.set("renamed_field", "selCircnFoncr")
    hold_against(watching, forms)
    again = watching.patient.open_session(session._credentials, lambda _: None)
    watching.opened.append(again)
    with pytest.raises(LayoutChanged) as change:
        again.fill(INDEX)
    assert change.value.landmark == "#selCircnFoncr"
    assert (forms.shown, forms.known()) == ([], [])
