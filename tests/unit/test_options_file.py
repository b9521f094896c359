"""A file of options is read whole, or refused with the line to mend."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registre.cli.options_file import load_options, parse_options
from registre.errors import InvalidInput
from registre.matching import Option

HULL = Option("060580", "Cité de Hull")
BLANK = Option("000000", " ")


@pytest.mark.parametrize(
    "content",
    [
        '[{"value": "000000", "label": " "}, {"value": "060580", "label": "Cité de Hull"}]',
        '\ufeff\n[\n {"value": "000000", "label": " "},\n {"value": "060580", "label": "Cité de Hull", "more": 1}\n]\n',
        '{"value": "000000", "label": " "}\n\n{"value": "060580", "label": "Cité de Hull"}\n',
        "value,label\r\n000000, \r\n060580,Cité de Hull\r\n",
        '000000," "\n060580,"Cité de Hull"\n',
        "value;label\n000000; \n060580;Cité de Hull\n",
    ],
    ids=["list", "list in lines", "lines", "csv", "csv without names", "csv with semicolons"],
)
def test_a_list_lines_and_csv_give_the_same_options(content: str) -> None:
    assert parse_options(content.encode()) == [BLANK, HULL]


def test_a_label_may_hold_commas_and_line_breaks_when_quoted() -> None:
    assert parse_options(b'value,label\n1,"Hull,\ncite de"\n2,Laval\n') == [
        Option("1", "Hull,\ncite de"),
        Option("2", "Laval"),
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "line 1: the file is empty."),
        (b" \n \n", "line 1: the file is empty."),
        (b"[]", "line 1: the file holds no option."),
        (b"value,label\n", "line 1: the file holds no option."),
        (b'[{"value": "1", "label": "a"},\n {"value": "2"}]', "line 2: label: field required."),
        (
            b'[{"value": "1", "label": "a"},\n {"value": 2, "label": "b"}]',
            "line 2: value: input should be a valid string.",
        ),
        (b'[{"value": "1", "label": "a"}\n {"value": "2", "label": "b"}]', "line 2: this is not JSON"),
        (b'[{"value": "1", "label": "a"},\n 7]', 'line 2: an option is an object {"value", "label"}.'),
        (b'[{"value": "1", "label": "a"}]\nx', "line 2: this is not JSON (something follows the list)."),
        (b'[{"value": "1", "label": "a"}', "line 1: this is not JSON"),
        (b'{"value": "1", "label": "a"}\n{"value": "2", "label": }', "line 2: this is not JSON"),
        (b"1,a\n2,b,c\n", "line 2: 3 columns where value and label are expected"),
        (b"1,a\n\n2\n", "line 3: 1 column where value and label are expected"),
        (b'1,a\n2,"b\n', "line 2: this is not CSV"),
        (b"1,a\n2,\xe9\n", "line 2: this is not UTF-8 text."),
        (b"[" * 100_000, "line 1: this is nested too deeply for a list of options."),
    ],
)
def test_a_bad_file_is_refused_with_its_line(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_options(content)
    assert str(refused.value).startswith(f"options: {sentence}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none\.csv cannot be read: No such file or directory\."):
        load_options(tmp_path / "none.csv")


@given(st.one_of(st.binary(max_size=200), st.text('[]{}",:value\nlb;1', max_size=80).map(str.encode)))
def test_any_bytes_end_in_options_or_a_sentence(content: bytes) -> None:
    try:
        told = repr(parse_options(content))
    except InvalidInput as refused:
        told = str(refused)
    assert re.fullmatch(r"\[Option.*\]|options: line .*\.", told, re.DOTALL)
