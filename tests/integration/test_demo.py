"""`registre demo` proves itself; here, that nothing contradicts it afterwards."""

from __future__ import annotations

import json
from pathlib import Path

from registre.settings import Settings
from registre.wiring import open_store
from tests.command import registre
from tests.processes import processes_of
from tests.waiting import until


def test_the_demo_ends_well_and_leaves_nothing_in_progress(public_home: Path) -> None:
    public_home.mkdir(mode=0o700)  # as `mktemp -d` makes it
    said = registre(public_home, "demo")
    assert (said.code, said.err) == (0, "")
    assert "Every outcome is the expected one" in said.out
    until(lambda: processes_of(public_home) == [], f"outlived the demo: {processes_of(public_home)}")

    home = public_home / "demo"
    settings = Settings(_env_file=None, home=home, database_url=None, pg_bin=None, buckets=None)
    with open_store(settings) as store:
        counts = {str(status): jobs for status, jobs in store.views.counts().items()}
        lines = store.ledger.lines()
    assert counts == {"En attente": 0, "En traitement": 0, "Complété": 8, "Erreur": 4}
    assert sum(line.state == "delivered" for line in lines) == 8
    assert {line.state for line in lines} <= {"delivered", "void"}
    billed = [json.loads(line) for line in (home / "twin-ledger.jsonl").read_text("utf-8").splitlines()]
    assert len(billed) == len(list((home / "buckets").rglob("*.pdf"))) == 8
    assert list((home / "spool" / "ready").iterdir()) == []
