"""What the README promises is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from registre import ledger
from registre.job import ARROWS
from registre.settings import Settings

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def test_every_setting_is_in_the_readme_and_no_other() -> None:
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert told == {str(field.validation_alias) for field in Settings.model_fields.values()}


def test_every_function_of_the_state_machines_exists_in_the_schema() -> None:
    folder = Path(__file__).parents[2] / "registre" / "database" / "sql"
    defined = set(
        re.findall(r"create function registre\.(\w+)", "".join(f.read_text("utf-8") for f in folder.glob("*.sql")))
    )
    assert {*ARROWS, *ledger.ARROWS} <= defined
