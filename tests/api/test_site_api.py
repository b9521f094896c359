"""What is known of the site over HTTP: a form that has changed waits for an operator; sentences are told as they were heard."""

from __future__ import annotations

import pytest

from registre.access import Role
from registre.document import Source
from registre.errors import ErrorKind
from registre.forms import FormContract, FormField
from registre.sentences import Heard
from registre.wiring import Store
from tests.api.conftest import Asking


def form(name: str) -> FormContract:
    return FormContract((), (FormField("input", "text", name, name),), ())


@pytest.fixture
def drifted(store: Store) -> Store:
    store.forms.observe(Source.INDEX, form("txtNumrtLot"))
    store.forms.observe(Source.INDEX, form("txtNoLot"))
    return store


def test_each_source_has_a_form_and_says_what_has_changed(drifted: Store, ask: Asking) -> None:
    acte, index, plan = ask("GET", "/api/forms", role=Role.VIEWER).json()["forms"]
    assert [each["source"] for each in (acte, index, plan)] == list(Source)
    assert (acte["accepted_at"], acte["difference"]) == (None, None)
    assert index["difference"] == "the field txtNumrtLot is gone; new field txtNoLot"
    assert "a person must look" in index["frozen"]
    assert (index["accepted_by"], index["fingerprint"]) == (None, form("txtNumrtLot").fingerprint)


def test_an_operator_accepts_a_form_and_its_orders_go_on(drifted: Store, ask: Asking) -> None:
    path = "/api/forms/index/accept"
    assert ask("POST", path, role=Role.REQUESTER).status_code == 403
    told = ask("POST", path, role=Role.OPERATOR).json()
    assert told == {
        "source": "index", "accepted": "the field txtNumrtLot is gone; new field txtNoLot", "resumed": True,
    }  # fmt: skip
    assert ask("GET", "/api/forms").json()["forms"][1]["accepted_by"] == "the operator"
    assert drifted.gates.closures() == []
    again = ask("POST", path)
    assert (again.status_code, again.json()["type"]) == (409, "/docs#refused")
    assert ask("POST", "/api/forms/testament/accept").json()["errors"][0]["field"] == "source"


def test_sentences_are_told_with_their_class_and_how_often(store: Store, ask: Asking) -> None:
    store.sentences.note(Heard("La demande 12 est refusée.", "index", ErrorKind.UNKNOWN_SENTENCE, True), None)
    for number in (1, 2):
        store.sentences.note(Heard(f"Le document {number} est inexistant.", "acte", ErrorKind.NOT_FOUND, False), None)
    heard = ask("GET", "/api/sentences?frequent=true", role=Role.VIEWER).json()["sentences"]
    assert [(each["kind"], each["count"]) for each in heard] == [("not_found", 2), ("unknown_sentence", 1)]
    [unknown] = ask("GET", "/api/sentences?review=true").json()["sentences"]
    assert (unknown["text"], unknown["needs_review"]) == ("La demande 12 est refusée.", True)
    assert len(ask("GET", "/api/sentences?limit=1").json()["sentences"]) == 1
    assert ask("GET", "/api/sentences?limit=0").json()["errors"][0]["field"] == "limit"
