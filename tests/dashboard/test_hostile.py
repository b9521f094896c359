"""What others wrote is shown as text, wherever it stands; what is no order, page or file is refused in a sentence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from registre.database.gateway import Json
from registre.errors import ErrorKind
from registre.job import JobId
from registre.sentences import Heard
from tests.dashboard.conftest import Reader, shown
from tests.dashboard.stage import OWNER

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(1)>' autofocus onfocus=alert(1) {{ 7*7 }} <!--"
TAME = "&#34;&gt;&lt;script&gt;"


def hostile(reader: Reader) -> dict[str, str]:
    """EVIL in every field that others fill in."""
    stage = reader.stage
    [seat] = stage.accounts(1)
    evil = {"circonscription": EVIL, "designation": EVIL, "client": EVIL[:100], "source": "index", "cadastre": EVIL}
    stage.submit(stage.order(**evil))
    failed = stage.fail(seat, EVIL[:60], EVIL)
    stage.submit(stage.order(**evil))
    held = stage.lease(seat)
    stage.gateway.call("note_evidence", job=failed, token=1, evidence=EVIL)
    stage.step(held, EVIL)
    purchase = stage.intend(held)
    stage.report(seat, "busy", held.job)
    stage.move("charge_purchase", purchase=purchase, token=held.token, notes=Json([EVIL]))
    stage.move("mark_ambiguous", purchase=purchase, token=held.token, reason=EVIL)
    stage.now += timedelta(seconds=5)
    stage.submit(stage.order(**evil))
    put_off = stage.lease(seat)
    stage.move("snooze_job", job=put_off.job, token=put_off.token, delay_seconds=60.0, message=EVIL)
    rows = Json([stage.order(**evil)])
    [batch] = stage.move("submit_batch", name=EVIL, client=EVIL[:100], author=EVIL, cap_cents=None, orders=rows)
    stage.move("pause", scope="client", name=EVIL[:100], author=EVIL, reason=EVIL)
    stage.move("freeze_source", source="acte", reason=EVIL)
    stage.move("set_account_aside", account=seat.account_id, token=seat.token, reason=EVIL)
    stage.store.sentences.note(Heard(EVIL, "index", ErrorKind.UNKNOWN_SENTENCE, needs_review=True), JobId(failed))
    return {"failed": failed, "settle": held.job, "batch": str(batch["submit_batch"]), "off": put_off.job}


def test_what_others_wrote_is_shown_as_text(reader: Reader) -> None:
    ids = hostile(reader)
    reader.sign_in(name=EVIL[:100])
    seen = 0
    for path in (
        "/",
        "/orders",
        "/orders?status=failed",
        f"/orders/{ids['failed']}",
        f"/orders/{ids['settle']}",
        f"/orders/{ids['off']}",
        "/failures",
        "/batches",
        f"/batches/{ids['batch']}",
        "/accounts",
        "/gates",
        "/costs?by=client",
        "/costs?by=batch",
        "/audit",
        f"/orders/confirm?action=retry&ids={ids['failed']}",
    ):
        answer = reader.get(path)
        assert answer.status_code == 200, path
        html = answer.text
        assert "<script>" not in html, path
        assert "<img src=x" not in html, path
        assert 'onfocus=alert(1) "' not in html, path
        assert "49" not in shown(html).split(), path
        seen += html.count(TAME)
    assert seen > 40


@pytest.mark.parametrize(
    "field", ["status", "source", "client", "batch", "error_kind", "circonscription", "text", "cursor", "told", "n"]
)
@pytest.mark.parametrize("value", [EVIL, "\x00", "é" * 300, "%ff%fe", "../../etc/passwd", "-1", "' or 1=1 --"])
def test_an_address_that_was_tampered_with_is_no_failure(reader: Reader, field: str, value: str) -> None:
    reader.stage.submit(reader.stage.order())
    reader.sign_in()
    answer = reader.get("/orders", params={field: value})
    assert answer.status_code in (200, 400)
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/orders/nope",
        "/orders/00000000-0000-0000-0000-000000000000",
        "/orders/%00",
        "/orders/..%2f..%2fetc",
        "/batches/nope",
        "/orders/00000000-0000-0000-0000-000000000000/page/1",
        "/orders/00000000-0000-0000-0000-000000000000/evidence/1",
        "/accounts/nope",
        "/nothing",
    ],
)
def test_what_is_not_there_is_told_in_a_sentence(reader: Reader, path: str) -> None:
    reader.sign_in()
    answer = reader.get(path)
    assert answer.status_code in (404, 405), answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("path", "data", "told"),
    [
        ("/orders/choose", {"action": "burn"}, "action"),
        ("/orders/bulk", {"action": "retry", "expected": "1"}, "mark at least one"),
        ("/orders/bulk", {"action": "retry", "status": "all", "expected": "0"}, "narrow the list"),
        ("/orders/bulk", {"action": "retry", "ids": "nope", "expected": "1"}, "No job has the id"),
        ("/orders/bulk", {"action": "retry", "status": "failed", "expected": "many"}, "whole number"),
        ("/orders/bulk", {"action": "cancel", "status": "queued", "expected": "7"}, "7 jobs were expected"),
        ("/accounts/add", {"username": "marie", "password": "x"}, "user code"),
        ("/accounts/add", {"username": "99X0001", "password": ""}, "none was given"),
        ("/accounts/99X0001/pause", {"reason": " "}, "say why"),
        ("/accounts/99X0002/pause", {"reason": "x"}, "No account has this name"),
        ("/gates/pause", {"scope": "moon", "reason": "x"}, "is unknown"),
        ("/gates/rule", {"rule": "pace_seconds", "value": "soon"}, "a number is expected"),
        ("/gates/rule", {"rule": "moon", "value": "1"}, "is unknown"),
        ("/gates/forms/moon/accept", {}, "no such source"),
        ("/gates/forms/index/accept", {}, "No form of index was seen yet"),
        ("/batches/price", {}, "choose a CSV or Excel file"),
    ],
)
def test_a_form_that_is_filled_in_wrongly_is_answered_by_a_sentence(
    reader: Reader, path: str, data: dict[str, str], told: str
) -> None:
    reader.stage.accounts(1)
    reader.sign_in()
    answer = reader.post(path, data=data)
    assert answer.status_code in (400, 404, 409), answer.text
    assert told in shown(answer.text)


def test_a_password_is_shown_by_nothing(reader: Reader) -> None:
    reader.sign_in()
    secret = "Tr0is-Rivières"
    answer = reader.post("/accounts/add", data={"username": "99X0009", "password": secret})
    assert answer.headers["location"] == "/accounts?told=added"
    refused = reader.post("/accounts/add", data={"username": "nobody", "password": secret})
    for page in (answer, refused, reader.get("/accounts"), reader.get("/audit")):
        assert secret not in page.text
    [(_, credentials)] = reader.stage.store.accounts.claim(OWNER, 1, timedelta(minutes=1))
    assert credentials.password == secret


def test_a_body_that_is_too_large_or_no_form_is_refused(reader: Reader) -> None:
    reader.sign_in()
    headers = {"X-Form-Token": reader.token}
    huge = reader.client.post("/gates/pause", data={"reason": "x" * 300_000}, headers=headers, follow_redirects=False)
    assert huge.status_code == 413
    for content, kind in (
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"--x", "multipart/form-data"),
        (b"{}", "application/json"),
    ):
        answer = reader.client.post(
            "/gates/pause", content=content, headers={**headers, "Content-Type": kind}, follow_redirects=False
        )
        assert 400 <= answer.status_code < 500, (kind, answer.text)
