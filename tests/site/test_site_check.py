"""`registre site check` on the twin: what is missing is named with what to mend, and nothing is ever submitted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from registre.document import Source
from registre.gates import Gate
from registre.twin.config import demo_accounts
from registre.twin.paths import FORMS
from registre.wiring import Store
from tests.command import Run, in_this_process, said
from tests.site.visit import Visit

Check = Callable[..., dict[str, Any]]

FORM_STEPS = [f"{source}: {step}" for source in Source for step in ("form", "contract", "lists", "button")]
ALL_STEPS = ["login page", "sign-in", *FORM_STEPS]


@pytest.fixture
def run(visit: Visit, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    return in_this_process(monkeypatch, dsn, tmp_path, REGISTRY_BASE_URL=visit.twin.base_url)


@pytest.fixture
def account(store: Store) -> None:
    store.accounts.add(*demo_accounts(1)[0])


@pytest.fixture
def check(run: Run, visit: Visit) -> Check:
    """The check's answer; whatever it found, nothing was billed and no session is left."""

    def check(*arguments: str, code: int) -> dict[str, Any]:
        before = len(visit.bill)
        answer = json.loads(said(run("site", "check", "--json", *arguments), code))
        assert len(visit.bill) == before
        answer["by"] = {finding["what"]: finding for finding in answer["findings"]}
        return dict(answer)

    return check


def frozen(store: Store) -> list[str]:
    return [closure.name for closure in store.gates.closures() if closure.gate is Gate.FROZEN]


@pytest.mark.usefixtures("account")
def test_a_site_as_expected_is_walked_to_the_button_and_its_forms_are_known_then(
    check: Check, store: Store, visit: Visit
) -> None:
    traffic = visit.twin.twin.traffic.paths
    before = {source: traffic[path] for source, path in FORMS.items()}
    answer = check(code=0)
    assert [finding["what"] for finding in answer["findings"]] == ALL_STEPS
    assert {finding["outcome"] for finding in answer["findings"]} == {"ok"}
    assert {form.source for form in store.forms.known()} == set(Source)
    assert [account.state for account in store.accounts.all()] == ["free"]
    assert demo_accounts(1)[0][0] not in {account for account, _ in visit.twin.twin.sessions.live()}
    # opened; reloaded by the circonscription, but for the acte's; the index form also proves the sign-in and has the way out:
    # none was submitted
    asked = {source: traffic[path] - before[source] for source, path in FORMS.items()}
    assert asked == {Source.INDEX: 4, Source.ACTE: 1, Source.PLAN: 2}


@pytest.mark.usefixtures("account")
def test_a_form_that_changed_is_told_frozen_and_can_be_accepted(
    check: Check, run: Run, store: Store, visit: Visit
) -> None:
    check(code=0)
    visit.twin.faults.set("options_added", "selTypeDocmn")
    answer = check(code=3)
    contract = answer["by"]["acte: contract"]
    assert (contract["outcome"], answer["verdict"]) == ("changed", "changed")
    assert "newly offers 'Acte (nouveau)'" in contract["says"]
    assert "registre site accept acte" in contract["mend"]
    assert frozen(store) == ["acte"]
    said(run("site", "accept", "acte", "--author", "marie"))
    assert frozen(store) == []


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("field", "what", "key"),
    [
        ("txtMotPasse", "login page", "login.password"),
        ("selCircnFoncr", "sign-in", "forms.index.landmark"),
        ("txtNoReqst", "acte: lists", "forms.acte.number"),
    ],
)
def test_what_the_profile_names_and_the_site_has_not_is_told_by_its_key(
    field: str, what: str, key: str, check: Check, visit: Visit
) -> None:
    visit.twin.faults.set("renamed_field", field)
    finding = check(code=1)["by"][what]
    assert finding["outcome"] == "failed"
    assert f"mend {key} in the site profile" in finding["mend"]


def test_without_an_account_only_the_login_page_is_looked_at(check: Check, store: Store) -> None:
    assert [finding["what"] for finding in check("--no-sign-in", code=0)["findings"]] == ["login page"]
    finding = check(code=1)["by"]["sign-in"]
    assert (finding["says"], "registre accounts add" in finding["mend"]) == ("there is no account", True)
    store.accounts.add(*demo_accounts(1)[0])
    assert store.accounts.claim("a worker", 1, timedelta(minutes=1))
    finding = check(code=1)["by"]["sign-in"]
    assert (finding["says"], "stop a worker" in finding["mend"]) == ("no account is free", True)


def test_a_refused_password_sets_its_account_aside_after_one_try(check: Check, store: Store, visit: Visit) -> None:
    store.accounts.add(demo_accounts(1)[0][0], "wrong")
    before = sum(visit.twin.twin.traffic.logins_refused.values())
    finding = check(code=1)["by"]["sign-in"]
    assert finding["outcome"] == "failed"
    assert "wrong" not in json.dumps(finding)
    assert sum(visit.twin.twin.traffic.logins_refused.values()) == before + 1
    assert [account.state for account in store.accounts.all()] == ["set aside"]


def test_a_site_in_maintenance_is_for_later(check: Check, visit: Visit) -> None:
    visit.twin.faults.set("maintenance")
    finding = check("--no-sign-in", code=1)["by"]["login page"]
    assert (finding["outcome"], finding["mend"]) == ("failed", "try again later")
    assert "maintenance" in finding["says"]
