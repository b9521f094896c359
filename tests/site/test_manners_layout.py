"""A site that was rebuilt: what moved is found, what was renamed freezes its source, and nothing is bought by guessing.

site.md 2 and 3: names of fields and buttons, the acte form that reloads or not, new option lists · 4: confirmation and lists
without their marks · 7: 000001 labelled "Québec" · windows-1252 of 1 · 10: blank or leaked selections.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registre.document import DocumentRequest, Source
from registre.errors import DataError, ErrorKind, LayoutChanged
from registre.site.chromium import find_chromium
from registre.site.profile import load_profile
from registre.site.registry import SiteRegistry
from tests.site.visit import ACTE, ACTE_OF_A_LIST, INDEX, OLD_LOT, PLAN_OF_A_LIST, Visit

IN_FORM = {
    "selCircnFoncr": INDEX,
    "selCadst": INDEX,
    "selDesgnSecnd": OLD_LOT,
    "txtNumrtLot": PLAN_OF_A_LIST,
    "selTypeDocmn": ACTE,
    "txtNoReqst": ACTE,
}


@pytest.mark.parametrize("field", ["txtVaCodeUtils", "txtMotPasse"])
def test_a_login_field_that_was_renamed_is_named_and_no_password_is_typed(field: str, visit: Visit) -> None:
    session = visit.open()
    visit.twin.faults.set("renamed_field", field)
    before = sum(visit.twin.twin.traffic.logins_refused.values())
    with pytest.raises(LayoutChanged) as change:
        session.sign_in()
    assert field in (change.value.landmark or "")
    assert sum(visit.twin.twin.traffic.logins_refused.values()) == before
    visit.twin.faults.clear()
    visit.signed_in().fill(INDEX)


@pytest.mark.parametrize("field", IN_FORM)
def test_a_form_field_that_was_renamed_freezes_its_source_before_anything_is_submitted(
    field: str, visit: Visit
) -> None:
    request = IN_FORM[field]
    session = visit.signed_in(hasty=True)
    visit.twin.faults.set("renamed_field", field)
    error = visit.refusal(lambda: session.fill(request))
    assert isinstance(error, LayoutChanged)
    assert error.source == request.source
    assert field in (error.landmark or "")
    visit.twin.faults.clear()
    visit.signed_in().fill(request)


def test_a_confirmation_without_its_button_is_not_guessed_at(visit: Visit, tmp_path: Path) -> None:
    session = visit.signed_in()
    session.fill(PLAN_OF_A_LIST)
    before = len(visit.bill)
    visit.twin.faults.set("renamed_field", "btnConfr")
    error = visit.refusal(lambda: session.submit(PLAN_OF_A_LIST))
    assert isinstance(error, LayoutChanged)
    assert (error.source, error.landmark) == (Source.PLAN, "#btnConfr")
    assert len(visit.bill) == before
    visit.twin.faults.clear()
    visit.proves_sound(tmp_path)


@pytest.mark.parametrize(
    ("button", "request_"), [("btnSoumt", PLAN_OF_A_LIST), ("btnRechr", ACTE_OF_A_LIST)], ids=["lots", "actes"]
)
def test_a_button_that_was_renamed_is_known_by_its_caption(
    button: str, request_: DocumentRequest, visit: Visit, target: Path
) -> None:
    visit.twin.faults.set("renamed_field", button)
    visit.obtain(visit.signed_in(), request_, target)


@pytest.mark.parametrize("field", ["selCircnFoncr", "selDesgnSecnd", "txtNoReqst", "btnSoumt", "btnConfr"])
def test_a_field_that_was_moved_is_found(field: str, visit: Visit, target: Path) -> None:
    visit.twin.faults.set("moved_field", field)
    request = IN_FORM.get(field, PLAN_OF_A_LIST)
    visit.obtain(visit.signed_in(), request, target)


@pytest.fixture
def index_form_gone(visit: Visit) -> Iterator[Visit]:
    """The page of the index form is another now; those of the other forms are not."""
    profile, chromium = load_profile(), find_chromium(None)
    assert chromium is not None
    elsewhere = profile.forms[Source.INDEX].model_copy(update={"path": "Script/13_01_11/pf_13_01_11_01_menu.asp"})
    changed = profile.model_copy(update={"forms": {**profile.forms, Source.INDEX: elsewhere}})
    registry = SiteRegistry(base_url=visit.twin.base_url, profile=changed, chromium=chromium)
    yield Visit(visit.twin, registry, registry)
    registry.close()


def test_an_index_form_that_is_gone_stops_the_index_and_no_other_source(index_form_gone: Visit, target: Path) -> None:
    session = index_form_gone.signed_in()
    with pytest.raises(LayoutChanged) as change:
        session.fill(INDEX)
    assert (change.value.source, change.value.landmark) == (Source.INDEX, "#selCircnFoncr")
    index_form_gone.obtain(session, ACTE, target)


@pytest.mark.parametrize("fault", ["options_added", "options_recoded"])
@pytest.mark.parametrize(
    ("select", "request_"),
    [
        ("selCircnFoncr", OLD_LOT),
        ("selCadst", OLD_LOT),
        ("selCadst", INDEX),
        ("selDesgnSecnd", OLD_LOT),
        ("selTypeDocmn", ACTE),
    ],
    ids=["circonscription", "old cadastre", "renovated cadastre", "désignation", "type"],
)
def test_a_new_list_with_near_twins_or_other_codes_gives_the_same_document(
    select: str, request_: DocumentRequest, fault: str, visit: Visit, target: Path
) -> None:
    visit.twin.faults.set(fault, select)
    session = visit.signed_in()
    before = len(visit.bill)
    visit.obtain(session, request_, target)
    (line,) = visit.bill[before:]
    assert (line.number_normalized, line.circonscription) == (request_.number_normalized, request_.circonscription)


@pytest.mark.parametrize(
    ("label", "request_"),
    [("Montréal", INDEX), ("Village de Gaspé", OLD_LOT), ("Rang 1", OLD_LOT), ("Acte", ACTE)],
    ids=["circonscription", "cadastre", "désignation", "type"],
)
def test_an_option_that_is_gone_is_refused_and_no_neighbour_taken(
    label: str, request_: DocumentRequest, visit: Visit
) -> None:
    session = visit.signed_in()
    visit.twin.faults.set("options_removed", label)
    with pytest.raises(DataError, match=label) as refusal:
        session.fill(request_)
    assert refusal.value.kind is ErrorKind.AMBIGUOUS_OPTION


def test_a_list_without_the_cadastre_of_all_renovated_lots_is_a_changed_layout(visit: Visit) -> None:
    session = visit.signed_in()
    visit.twin.faults.set("options_removed", "Cadastre du Québec")
    with pytest.raises(LayoutChanged, match="no longer offers the Cadastre du Québec") as change:
        session.fill(INDEX)
    assert change.value.source == Source.INDEX
    assert "selCadst" in (change.value.landmark or "")


@pytest.mark.parametrize("name", ["quebec_label", "acte_form_reloads", "windows_1252"])
@pytest.mark.parametrize("request_", [INDEX, OLD_LOT, ACTE], ids=["index", "old lot", "acte"])
def test_what_is_unknown_of_the_real_site_makes_no_difference(
    request_: DocumentRequest, name: str, visit: Visit, target: Path
) -> None:
    visit.twin.faults.set(name)
    before = len(visit.bill)
    visit.obtain(visit.signed_in(), request_, target)
    assert [line.number_normalized for line in visit.bill[before:]] == [request_.number_normalized]
