"""What should be known without looking stands on the first page, until it is over."""

from __future__ import annotations

from datetime import timedelta

from tests.dashboard.conftest import Reader, shown

MINUTE = timedelta(minutes=1)


def test_an_alert_is_a_sentence_on_the_first_page_in_the_readers_language(reader: Reader) -> None:
    reader.sign_in()
    store = reader.stage.store
    assert "is set aside:" not in shown(reader.get("/").text)
    store.accounts.add("99T0999", "made up")
    seats = [seat for seat, _ in store.accounts.claim("host-x/boot", 50, MINUTE) if seat.username == "99T0999"]
    store.accounts.set_aside(seats[0], "<b>Refused</b>.", None)
    store.alerts.judge()
    page = reader.get("/").text
    assert (
        "The account 99T0999 is set aside: <b>Refused</b>.".replace("<b>", "&lt;b&gt;").replace("</b>", "&lt;/b&gt;")
        in page
    )
    assert "registre accounts add 99T0999" in shown(page)
    french = reader.get("/", headers={"accept-language": "fr"}).text
    assert "Le compte 99T0999 est mis de côté" in french
    store.accounts.restore("99T0999", "marie")
    store.alerts.judge()
    assert "99T0999 is set aside" not in reader.get("/").text
