"""The registry's hours: when work may start, on every kind of day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from registre.errors import Refused
from registre.gates import Holiday, ServiceHours
from registre.job import JobId
from registre.wiring import Store
from tests.desk import Desk, toronto

ALWAYS = [(day, "00:00", "00:00") for day in range(1, 8)]
WORKDAYS = [(day, "08:00", "16:00") for day in range(1, 6)]
NOON = [(3, "08:00", "12:00"), (3, "13:00", "16:00")]
TOUCHING = [(3, "08:00", "12:00"), (3, "12:00", "16:00")]
OVERLAPPING = [(3, "08:00", "12:00"), (3, "10:00", "16:00")]
SHORT = [(3, "10:00", "10:04"), (3, "14:00", "16:00")]
EVENING = [(3, "18:00", "00:00"), (4, "08:00", "09:00")]
OPEN = None
"""8 July 2026 is a Wednesday; work is started until five minutes before closing."""

CASES = {
    "in the middle of the day": (WORKDAYS, toronto(2026, 7, 8, 10), OPEN),
    "a minute before opening": (WORKDAYS, toronto(2026, 7, 8, 7, 59), toronto(2026, 7, 8, 8)),
    "at opening": (WORKDAYS, toronto(2026, 7, 8, 8), OPEN),
    "at the last safe start": (WORKDAYS, toronto(2026, 7, 8, 15, 54), OPEN),
    "too close to closing": (WORKDAYS, toronto(2026, 7, 8, 15, 55), toronto(2026, 7, 9, 8)),
    "after closing": (WORKDAYS, toronto(2026, 7, 8, 20), toronto(2026, 7, 9, 8)),
    "before the weekend": (WORKDAYS, toronto(2026, 7, 10, 17), toronto(2026, 7, 13, 8)),
    "before the holidays of the week after": (WORKDAYS, toronto(2026, 7, 17, 17), toronto(2026, 7, 22, 8)),
    "on a holiday": (WORKDAYS, toronto(2026, 7, 20, 10), toronto(2026, 7, 22, 8)),
    "between two openings of a day": (NOON, toronto(2026, 7, 8, 12, 30), toronto(2026, 7, 8, 13)),
    "close to the first closing of a day": (NOON, toronto(2026, 7, 8, 11, 57), toronto(2026, 7, 8, 13)),
    "where two openings touch": (TOUCHING, toronto(2026, 7, 8, 11, 58), OPEN),
    "where two openings overlap": (OVERLAPPING, toronto(2026, 7, 8, 11, 58), OPEN),
    "before an opening too short to start anything in": (SHORT, toronto(2026, 7, 8, 9), toronto(2026, 7, 8, 14)),
    "in an opening too short to start anything in": (SHORT, toronto(2026, 7, 8, 10, 1), toronto(2026, 7, 8, 14)),
    "close to midnight of a day that closes then": (EVENING, toronto(2026, 7, 8, 23, 56), toronto(2026, 7, 9, 8)),
    "an hour before midnight of a day that closes then": (EVENING, toronto(2026, 7, 8, 23), OPEN),
    "at midnight of days without a break": (ALWAYS, toronto(2026, 7, 8, 23, 58), OPEN),
    "in the night when clocks leap, before": ([(7, "01:00", "04:00")], toronto(2026, 3, 8, 1, 54), OPEN),
    "in the night when clocks leap, after": ([(7, "01:00", "04:00")], toronto(2026, 3, 8, 3, 54), OPEN),
    "in the night when clocks leap, too late": (
        [(7, "01:00", "04:00")],
        datetime(2026, 3, 8, 7, 55, tzinfo=UTC),
        toronto(2026, 3, 15, 1),
    ),
    "before an opening inside the hour leapt over": (
        [(7, "02:00", "03:00"), (7, "09:00", "10:00")],
        toronto(2026, 3, 8, 1),
        toronto(2026, 3, 8, 9),
    ),
    "before an opening that would close before it opens": (
        [(7, "02:30", "03:15"), (7, "09:00", "10:00")],
        toronto(2026, 3, 8, 1),
        toronto(2026, 3, 8, 9),
    ),
    "on the evening before clocks leap": (
        [(7, "08:00", "12:00")],
        toronto(2026, 3, 7, 20),
        datetime(2026, 3, 8, 12, tzinfo=UTC),
    ),
    "in the hour that comes twice, first": ([(7, "00:30", "03:00")], toronto(2026, 11, 1, 1, 30), OPEN),
    "in the hour that comes twice, again": ([(7, "00:30", "03:00")], toronto(2026, 11, 1, 1, 30, fold=1), OPEN),
    "at the last safe start of that night": ([(7, "00:30", "03:00")], datetime(2026, 11, 1, 7, 54, tzinfo=UTC), OPEN),
    "too close to closing in that night": (
        [(7, "00:30", "03:00")],
        datetime(2026, 11, 1, 7, 55, tzinfo=UTC),
        datetime(2026, 11, 8, 5, 30, tzinfo=UTC),
    ),
}


@pytest.mark.parametrize("when", CASES)
def test_work_starts_while_the_registry_is_open_and_waits_for_its_next_opening(desk: Desk, when: str) -> None:
    hours, desk.now, until = CASES[when]
    desk.hours(*hours)
    for day in (20, 21):
        desk.move("set_holiday", day=date(2026, 7, day), name="a holiday", author="a test")
    desk.order(1000001)
    told = [row["until"] for row in desk.gateway.call("closures", now=desk.now) if row["gate"] == "hours"]
    assert told == ([] if until is OPEN else [until])
    seats = desk.seats(1)
    assert len(desk.lease(seats)) == (1 if until is OPEN else 0)
    if until is not OPEN:
        desk.now = until
        assert len(desk.lease(desk.seats(1))) == 1, "what was told as the next opening is none"


def test_a_registry_without_any_opening_is_closed_until_a_person_acts(desk: Desk) -> None:
    desk.now = toronto(2026, 7, 8, 10)
    desk.hours((3, "10:00", "10:04"))
    [job] = desk.order(1000001)
    [row] = desk.gateway.call("closures", now=desk.now)
    assert (row["gate"], row["until"]) == ("hours", None)
    assert desk.why(job) == row["reason"] == "the registry has no opening in the next 30 days"
    assert desk.lease(desk.seats(1)) == []


def test_a_removed_holiday_is_a_day_like_any_other(desk: Desk) -> None:
    desk.now = toronto(2026, 7, 8, 10)
    desk.hours(*WORKDAYS)
    desk.move("set_holiday", day=date(2026, 7, 8), name="closed", author="a test")
    assert desk.closures() == [("hours", "site", "")]
    desk.move("set_holiday", day=date(2026, 7, 8), name=None, author="a test")
    assert desk.closures() == []


def test_the_last_safe_start_moves_with_its_rule(desk: Desk) -> None:
    desk.now = toronto(2026, 7, 8, 15, 30)
    desk.hours(*WORKDAYS)
    assert desk.closures() == []
    desk.rule("last_start_seconds", 3600)
    assert desk.closures() == [("hours", "site", "")]
    desk.rule("last_start_seconds", 0)
    desk.now = toronto(2026, 7, 8, 15, 59)
    assert desk.closures() == []


def test_an_estimate_counts_open_hours_only(desk: Desk) -> None:
    desk.now = toronto(2026, 3, 6, 15)  # a Friday; clocks leap on Sunday
    desk.hours(*WORKDAYS)
    for hours, at in ((0.5, toronto(2026, 3, 6, 15, 30)), (2, toronto(2026, 3, 9, 9)), (10, toronto(2026, 3, 10, 9))):
        [row] = desk.gateway.call("after_open_seconds", now=desk.now, seconds=hours * 3600)
        assert row["after_open_seconds"] == at


def test_hours_and_holidays_come_back_as_they_were_given(store: Store) -> None:
    hours = [
        ServiceHours(1, time(8), time(12)),
        ServiceHours(1, time(13), time(0)),  # until midnight
        ServiceHours(7, time(0), time(0)),  # all day
    ]
    store.gates.set_hours(hours, "marie")
    assert store.gates.hours() == hours
    store.gates.set_hours([], "marie")
    assert store.gates.hours() == []
    store.gates.set_holiday(date(2026, 12, 25), "Noël", "marie")
    assert store.gates.holidays() == [Holiday(date(2026, 12, 25), "Noël")]


@pytest.mark.parametrize(
    "hours",
    [
        ServiceHours(8, time(8), time(12)),
        ServiceHours(0, time(8), time(12)),
        ServiceHours(1, time(12), time(8)),
        ServiceHours(1, time(12), time(12)),
    ],
)
def test_hours_that_are_none_are_refused_and_change_nothing(store: Store, hours: ServiceHours) -> None:
    kept = [ServiceHours(1, time(8), time(12))]
    store.gates.set_hours(kept, "marie")
    with pytest.raises(Refused, match="weekday from 1 to 7"):
        store.gates.set_hours([hours], "marie")
    assert store.gates.hours() == kept


def test_one_opening_is_said_once(store: Store) -> None:
    with pytest.raises(Refused, match="once each"):
        store.gates.set_hours([ServiceHours(1, time(8), time(12)), ServiceHours(1, time(8), time(9))], "marie")


def test_a_job_that_waits_for_opening_is_told_when(desk: Desk) -> None:
    desk.now = toronto(2026, 7, 10, 17)
    desk.hours(*WORKDAYS)
    [job] = desk.order(1000001)
    assert desk.why(JobId(job)) == "the registry is closed, or closes too soon, until 2026-07-13 08:00"
