"""What holds for every list and every request."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from registre.document import fold
from registre.matching import Field, Option, match

NAMES = [
    "Saint-Denis",
    "Sainte-Denise",
    "Saint-Basile",
    "Saint-Blaise",
    "Sainte-Anne",
    "Sainte-Marie",
    "Sainte-Marthe",
    "Chicoutimi",
    "Gaspé",
    "Hull",
    "Laval",
    "Lévis",
    "L'Islet",
    "Jonquière",
    "Québec",
    "Montréal",
    "Mailhot",
    "Malhiot",
    "Dunham",
    "Durham",
    "Notre-Dame-des-Anges",
    "Saint-Hyacinthe",
]
TYPES = ("Paroisse de ", "Village de ", "Ville de ", "Canton de ", "")
TAILS = ("", " 1", " 2", " Est", " Ouest", " (quartier Sainte-Marie)", " (quartier Est)")

labels = st.builds(lambda a, b, c: a + b + c, st.sampled_from(TYPES), st.sampled_from(NAMES), st.sampled_from(TAILS))
lists = st.lists(labels, min_size=1, max_size=12, unique_by=fold).map(
    lambda found: [Option(f"{n:06d}", label) for n, label in enumerate(found, 100_000)]
)
fields = st.sampled_from([Field.CIRCONSCRIPTION, Field.CADASTRE])
blanks = st.lists(
    st.builds(
        Option, st.sampled_from(["", "NULL", "000000", "A", "12"]), st.sampled_from(["", "\u00a0", "---", "Choisir…"])
    ),
    max_size=4,
)


@st.composite
def requests(draw: st.DrawFn) -> str:
    """A label, perhaps with one letter wrong; or any text."""
    text = draw(labels)
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text) - 1))
        text = text[:at] + draw(st.sampled_from(["", "a", "e", "s", "1", text[at] * 2])) + text[at + 1 :]
    return draw(st.one_of(st.just(text), st.text(max_size=30)))


@given(requests(), lists, blanks, fields)
def test_a_blank_option_is_never_chosen(text: str, options: list[Option], blank: list[Option], field: Field) -> None:
    choice = match(text, [*blank, *options], field).choice
    assert choice is None or choice in options
    assert choice == match(text, options, field).choice


@given(lists, fields, st.data())
def test_an_exact_label_is_chosen_when_it_is_unique(options: list[Option], field: Field, data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from(options))
    assert match(wanted.label, options, field).choice == wanted
    assert match(fold(wanted.label), options, field).choice == wanted
    assert match(wanted.value, options, field).choice == wanted


@given(requests(), lists, fields, st.randoms())
def test_the_order_of_options_changes_nothing(
    text: str, options: list[Option], field: Field, rng: random.Random
) -> None:
    shuffled = options[:]
    rng.shuffle(shuffled)
    assert match(text, shuffled, field) == match(text, options, field)


@given(requests(), lists, labels, fields)
def test_another_option_never_turns_a_refusal_or_a_choice_into_something_else(
    text: str, options: list[Option], label: str, field: Field
) -> None:
    """The newcomer itself may be chosen; an option that was there before may not become the choice because of it."""
    newcomer = Option("999999", label)
    before = match(text, options, field).choice
    after = match(text, [*options, newcomer], field).choice
    assert after in (None, before, newcomer)


@given(lists, fields, st.sampled_from(NAMES), st.integers(1, 99), st.integers(1, 99))
def test_a_number_is_never_approximate(options: list[Option], field: Field, name: str, asked: int, there: int) -> None:
    numbered = Option("888888", f"{name} {there}")
    others = [option for option in options if not any(c.isdigit() for c in option.label)]
    choice = match(f"{name} {asked}", [*others, numbered], field).choice
    assert choice == (numbered if asked == there else None)


@given(st.integers(1, 39), st.integers(1, 39), st.sampled_from(["Rang", "Bloc", "Quartier"]))
def test_a_rang_is_its_number(asked: int, there: int, kind: str) -> None:
    options = [Option("", ""), Option("x", f"{kind} {there}")]
    assert (match(f"{asked}e {kind}", options, Field.DESIGNATION).choice is not None) == (asked == there)


@given(st.text(max_size=400), lists, st.sampled_from(list(Field)))
def test_any_text_ends_in_a_choice_offered_or_a_reason(text: str, options: list[Option], field: Field) -> None:
    found = match(text, options, field)
    assert found.reason
    assert len(found.candidates) <= 3
    assert found.choice is None or found.candidates[0].option == found.choice
