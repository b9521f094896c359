"""What the gates say has its French: each sentence as the database speaks it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from registre.language import Language
from registre.reasons import _FRENCH, reason
from tests.desk import Desk


def closed(desk: Desk) -> None:
    desk.order(5)
    desk.hours(((desk.now.isoweekday() + 3) % 7 + 1, "08:00", "09:00"))


def no_opening(desk: Desk) -> None:
    desk.order(5)
    desk.hours((desk.now.isoweekday(), "00:00", "00:01"))
    for day in range(40):
        desk.sql("insert into registre.holidays values (%s::date + %s, 'x') on conflict do nothing", desk.now, day - 2)


def failing(desk: Desk) -> None:
    desk.order(5)
    for _ in range(3):
        desk.move("site_away", reason="the site answers 503.")


def frozen(desk: Desk) -> None:
    desk.order(5)
    desk.sql("insert into registre.frozen (source, reason, at) values ('index', 'a field is gone', %s)", desk.now)


def paused(scope: str, name: str) -> Callable[[Desk], None]:
    def pause(desk: Desk) -> None:
        desk.seats(1)
        desk.order(5, client="Étude (Tremblay)")
        desk.pause(scope, name, "facture: à vérifier")

    return pause


def capped(scope: str, name: str, period: str) -> Callable[[Desk], None]:
    def cap(desk: Desk) -> None:
        desk.seats(1)
        desk.order(5, client="Étude")
        desk.budget(scope, name, period, 100)

    return cap


def unapproved(desk: Desk) -> None:
    desk.rule("approval_above_cents", 100)
    desk.batch(5, 6)


def at_work(desk: Desk) -> None:
    desk.leased()
    desk.order(6)


def put_off(desk: Desk) -> None:
    held = desk.leased()
    desk.move("snooze_job", job=held.id, token=held.token, delay_seconds=300.0, message="no account is signed in")


def resting(desk: Desk) -> None:
    desk.rule("pace_seconds", 500)
    desk.fail(desk.leased())
    desk.order(6)


SCENES: dict[str, Callable[[Desk], object]] = {
    "nothing waits": lambda desk: None,
    "no account": lambda desk: desk.order(5),
    "about to start": lambda desk: (desk.order(5), desk.seats(1)),
    "at work": at_work,
    "put off": put_off,
    "resting": resting,
    "closed": closed,
    "no opening": no_opening,
    "failing": failing,
    "frozen": frozen,
    "all paused": paused("site", ""),
    "client paused": paused("client", "Étude (Tremblay)"),
    "account paused": paused("account", "account-000"),
    "source paused": paused("source", "index"),
    "day": capped("site", "", "day"),
    "month": capped("site", "", "month"),
    "client's day": capped("client", "Étude", "day"),
    "client's month": capped("client", "Étude", "month"),
    "unapproved": unapproved,
}


@pytest.mark.parametrize("scene", SCENES)
def test_what_the_gates_say_has_its_french(desk: Desk, scene: str) -> None:
    SCENES[scene](desk)
    said = {desk.why()} | {row["reason"] for row in desk.gateway.call("closures", now=desk.now)}
    said |= {desk.why(str(row["id"])) for row in desk.sql("select id from extraction_queue")}
    for sentence in said:
        french = reason(sentence, Language.FRENCH)
        assert french != sentence, sentence
        assert "{" not in french
        assert reason(sentence, Language.ENGLISH) == sentence


def test_what_is_named_stays_as_it_is(desk: Desk) -> None:
    paused("client", "Étude (Tremblay)")(desk)
    assert reason(desk.why(), Language.FRENCH) == (
        "le client Étude (Tremblay) est mis en pause par marie : facture: à vérifier"
    )


def test_one_sentence_within_another_is_told_too(desk: Desk) -> None:
    put_off(desk)
    [row] = desk.sql("select id from extraction_queue")
    assert reason(desk.why(str(row["id"])), Language.FRENCH).endswith(": aucun compte n’a de session ouverte")


def test_an_unknown_sentence_is_shown_as_it_came() -> None:
    assert reason("something else", Language.FRENCH) == "something else"


@pytest.mark.parametrize("english", _FRENCH)
def test_a_translation_names_what_its_sentence_names(english: str) -> None:
    names = re.compile(r"\{\w+\*?\}")
    assert sorted(names.findall(english)) == sorted(names.findall(_FRENCH[english]))
