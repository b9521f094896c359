"""A form's contract: what makes two of them one, and how a difference is said."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registre.forms import FormButton, FormContract, FormField, contract_of, difference
from registre.matching import Option


def select(name: str, *options: tuple[str, str]) -> FormField:
    return FormField("select", "select-one", name, name, tuple(Option(value, label) for value, label in options))


def text(name: str) -> FormField:
    return FormField("input", "text", name, name)


PLACES = (("", ""), ("01", "Abitibi"), ("02", "Argenteuil"), ("65", "Montréal"), ("71", "Québec"))
FORM = FormContract(
    frames=(),
    fields=(
        FormField("input", "hidden", "txtEtat", ""),
        select("selCircnFoncr", *PLACES),
        select("selCadst", ("000000", ""), ("000001", "Cadastre du Québec")),
        text("txtNumrtLot"),
    ),
    buttons=(FormButton("btnEfacr", "Effacer", "reset"), FormButton("btnSoumt", "Soumettre", "submit")),
)


def with_places(*options: tuple[str, str]) -> FormContract:
    return replace(FORM, fields=(FORM.fields[0], select("selCircnFoncr", *options), *FORM.fields[2:]))


CHANGES = {
    "renamed": (
        replace(FORM, fields=(*FORM.fields[:3], text("txtNoLot"))),
        "the field txtNumrtLot is gone; new field txtNoLot",
    ),
    "moved": (
        replace(FORM, fields=(FORM.fields[0], *FORM.fields[2:], FORM.fields[1])),
        "selCircnFoncr stands in another place",
    ),
    "other type": (
        replace(FORM, fields=(*FORM.fields[:3], FormField("textarea", "textarea", "txtNumrtLot", "txtNumrtLot"))),
        "txtNumrtLot is now of type textarea textarea, and was of type input text",
    ),
    "other id": (
        replace(FORM, fields=(*FORM.fields[:3], replace(FORM.fields[3], id="lot"))),
        "txtNumrtLot has now the name txtNumrtLot and the id lot",
    ),
    "recoded": (
        with_places(PLACES[0], *((f"R{value}", label) for value, label in PLACES[1:])),
        "'Abitibi' of selCircnFoncr has the value 'R01', and had '01', and 3 more have other values",
    ),
    "relabelled": (with_places(*PLACES[:4], ("71", "Quebec")), "'Québec' of selCircnFoncr is now called 'Quebec'"),
    "removed": (with_places(*PLACES[:2], PLACES[4]), "selCircnFoncr no longer offers 'Argenteuil' and 'Montréal'"),
    "added": (with_places(*PLACES, *((f"9{n}", f"Lieu {n}") for n in range(5))),
              "selCircnFoncr newly offers 'Lieu 0', 'Lieu 1', 'Lieu 2' and 2 more"),
    "reordered": (with_places(*PLACES[::-1]), "the options of selCircnFoncr stand in another order"),
    "button": (
        replace(FORM, buttons=(FORM.buttons[0], FormButton("btnSoumt", "Envoyer", "submit"))),
        "the button btnSoumt now reads 'Envoyer', and read 'Soumettre'",
    ),
    "frame": (replace(FORM, frames=("pub",)), "new frame pub"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_another_fingerprint_and_said_in_a_clause(change: str) -> None:
    changed, said = CHANGES[change]
    assert changed.fingerprint != FORM.fingerprint
    assert difference(FORM, changed) == said


def test_the_fingerprint_is_the_same_in_every_version_and_on_every_host() -> None:
    """Kept in databases: another one for the same form would freeze every source at an upgrade."""
    assert FORM.fingerprint == "e1e6db93bfd937de620aa825f7ead0f7"


def test_a_form_comes_back_from_the_database_as_it_was() -> None:
    assert contract_of(json.loads(json.dumps(FORM.content()))) == FORM


def test_a_page_rebuilt_from_the_ground_is_said_shortly() -> None:
    rebuilt = FormContract(("a" * 500,), tuple(text(f"{n}{'x' * 300}") for n in range(200)), ())
    assert len(difference(FORM, rebuilt)) < 1000


def test_options_are_found_by_the_name_or_the_id_of_their_select() -> None:
    by_id = FormContract((), (replace(select("", ("1", "Acte")), id="selTypeDocmn"),), ())
    assert by_id.options("selTypeDocmn") == (Option("1", "Acte"),)
    assert (FORM.options("txtNumrtLot"), FORM.options("selX")) == (None, None)
    assert (FORM.selects, by_id.selects) == (["selCircnFoncr", "selCadst"], ["selTypeDocmn"])


NAMES = st.sampled_from(["", "a", "b", "c"])
FIELDS = st.builds(
    FormField,
    tag=st.sampled_from(["input", "select"]),
    type=NAMES,
    name=NAMES,
    id=NAMES,
    options=st.none() | st.lists(st.builds(Option, value=NAMES, label=NAMES), max_size=4).map(tuple),
)
CONTRACTS = st.builds(
    FormContract,
    frames=st.lists(NAMES, max_size=3).map(tuple),
    fields=st.lists(FIELDS, max_size=5).map(tuple),
    buttons=st.lists(st.builds(FormButton, name=NAMES, caption=NAMES, type=NAMES), max_size=3).map(tuple),
)


@given(CONTRACTS, CONTRACTS)
def test_equal_fingerprints_equal_contracts_and_no_difference_are_one(old: FormContract, new: FormContract) -> None:
    assert (old.fingerprint == new.fingerprint) == (old == new) == (difference(old, new) == "")
    assert difference(old, old) == ""
