"""`registre match` as a person and as a program run it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.command import ENTRY, registre
from tests.processes import environment

OPTIONS = [
    {"value": "000000", "label": " "},
    {"value": "050480", "label": "Paroisse de Saint-Bruno"},
    {"value": "060580", "label": "Cité de Hull"},
]


@pytest.fixture
def options(tmp_path: Path) -> str:
    path = tmp_path / "options.json"
    path.write_text(json.dumps(OPTIONS), "utf-8")
    return str(path)


def question(text: str) -> bytes:
    return json.dumps({"field": "cadastre", "text": text, "options": OPTIONS}).encode() + b"\n"


def test_a_choice_is_told_with_its_score_its_runner_up_and_its_reason(tmp_path: Path, options: str) -> None:
    said = registre(tmp_path, "match", "Par. St-Bruno", "--field", "cadastre", "--options", options)
    assert said.code == 0
    assert "picks 050480, Paroisse de Saint-Bruno: same name" in said.out
    assert [line.split()[:2] for line in said.out.splitlines() if line.startswith(("picked", "runner-up"))] == [
        ["picked", "050480"],
        ["runner-up", "060580"],
    ]
    assert said.out.count("100.0") == 1


def test_a_refusal_is_an_answer(tmp_path: Path, options: str) -> None:
    said = registre(tmp_path, "match", "Jonquiere", "--field", "cadastre", "--options", options, "--json")
    assert said.code == 0
    assert said.json["choice"] is None
    assert said.json["reason"] == "nothing close to 'Jonquiere'"
    assert {c["value"] for c in said.json["candidates"]} == {"050480", "060580"}


def test_the_options_may_come_on_stdin(tmp_path: Path) -> None:
    said = registre(
        tmp_path, "match", "hull", "--field", "cadastre", "--options", "-", "--json", stdin=b"060580,Hull\n"
    )
    assert said.json["choice"] == "060580"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("match", "Hull"),
            "field: '' is unknown; one of circonscription, cadastre, designation, acte_type is expected.",
        ),
        (("match", "Hull", "--field", "cadastre"), "options: a file with the select's options is needed."),
        (("match", "Hull", "--batch"), "batch: text, field and options come with each line; give none of them here."),
        (("match", "--batch", "--input", "/nowhere"), "input: /nowhere cannot be read: No such file or directory."),
        (
            ("match", "Hull", "--field", "cadastre", "--input", "/nowhere"),
            "input: it goes with --batch only; the options of one text are given with --options.",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    said = registre(tmp_path, *arguments)
    assert (said.code, said.sentence) == (2, sentence)


def test_a_batch_answers_each_line_in_its_place(tmp_path: Path) -> None:
    lines = [question("Hull"), b"\n", b"{not json\n", question("Jonquiere"), b'{"field": "colour"}\n', b"\n", b"\n"]
    said = registre(tmp_path, "match", "--batch", stdin=b"".join(lines))
    assert (said.code, said.err) == (3, "")
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert [answer["choice"] for answer in answers] == ["060580", None, None, None, None]
    assert [answer["reason"].partition(":")[0] for answer in answers if not answer["candidates"]] == [
        "line 2",
        "line 3",
        "line 5",
    ]


def test_a_batch_without_a_bad_line_ends_well_whatever_was_refused(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + question("Hull") + question("Jonquiere"))
    said = registre(tmp_path, "match", "--batch", "--input", str(path))
    assert said.code == 0
    assert said.out.count("\n") == 2


def test_a_batch_answers_before_the_next_question_comes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*ENTRY, "match", "--batch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(tmp_path),
        cwd="/",
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for text, value in (("Hull", "060580"), ("St-Bruno", "050480")):
            process.stdin.write(question(text))
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["choice"] == value
        process.stdin.close()
        assert process.wait(30) == 0


def test_what_would_command_a_terminal_is_written_out(tmp_path: Path) -> None:
    line = json.dumps({"field": "cadastre", "text": "\x9b31mHull", "options": OPTIONS}).encode()
    said = registre(tmp_path, "match", "--batch", stdin=line)
    assert said.out.isascii()
    assert "\x9b" not in said.out
    assert "\x9b" in json.loads(said.out)["reason"]
