"""The flight recorder's file: bounded, readable after a crash, and silent about what did not change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from registre.errors import ConfigurationError
from registre.recording import BEFORE, MOST_BYTES, NOW, QUIET, BrowserMoment, FlightRecorder, Moment, read

START = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)


def moment(seconds: float, step: str = "filling the form") -> Moment:
    browser = BrowserMoment("99T0001", "busy", "an-order", "index", "2 784 195", step, START)
    return Moment(
        START + timedelta(seconds=seconds), "host-a", "1.2.3", (browser,), 1, 1, 0, 0, "every account is at work"
    )


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    recorder = FlightRecorder(tmp_path / "recorder")
    moments = [moment(second, f"step {second}") for second in range(5)]
    assert all(recorder.write(one) for one in moments)
    assert read(tmp_path / "recorder") == moments


def test_what_says_nothing_new_is_written_now_and_then_only(tmp_path: Path) -> None:
    recorder = FlightRecorder(tmp_path)
    assert recorder.write(moment(0))
    assert not recorder.write(moment(2))
    assert recorder.write(moment(QUIET.total_seconds()))
    assert recorder.write(moment(QUIET.total_seconds() + 2, "submitting"))
    assert len(read(tmp_path)) == 3


def test_two_bounded_files_hold_the_newest(tmp_path: Path) -> None:
    recorder = FlightRecorder(tmp_path, most_bytes=2000)
    for second in range(100):
        recorder.write(moment(second, f"step {second}"))
    assert {file.name for file in tmp_path.iterdir()} == {NOW, BEFORE}
    assert all(file.stat().st_size <= 2000 for file in tmp_path.iterdir())
    kept = read(tmp_path)
    assert kept[-1] == moment(99, "step 99")
    assert len(kept) >= 6


def test_two_hours_of_twenty_sessions_at_work_are_kept(tmp_path: Path) -> None:
    """Each in another step every two seconds, under ids and names as long as real ones."""

    def busy(account: int, number: int) -> BrowserMoment:
        order, step = (
            f"5f0c2f7e-1d3b-4c52-9a0e-{number:012}",
            ("waiting for the viewer", "saving the document")[number % 2],
        )
        began = START + timedelta(seconds=number, microseconds=123_456)
        return BrowserMoment(f"99X{account:04}", "busy", order, "index", "2 784 195", step, began, None, number)

    recorder = FlightRecorder(tmp_path)
    for number in range(10):
        browsers = tuple(busy(account, number) for account in range(20))
        at = START + timedelta(seconds=2 * number, microseconds=123_456)
        recorder.write(Moment(at, "host-a", "1.2.3", browsers, 1200, 20, 34_000, 120, "every account is at work"))
    bytes_an_hour = (tmp_path / NOW).stat().st_size / 10 * 1800
    assert 7_000_000 < bytes_an_hour < 8_500_000, "the README tells how much it is"
    assert bytes_an_hour * 1.9 < MOST_BYTES


def test_a_line_that_a_crash_cut_is_skipped(tmp_path: Path) -> None:
    recorder = FlightRecorder(tmp_path)
    recorder.write(moment(0))
    with (tmp_path / NOW).open("ab") as file:
        file.write(b'{"at":"2026-11-26T18:0\n[]\n\xff\n')
    recorder.write(moment(1, "submitting"))
    assert [one.browsers[0].step for one in read(tmp_path)] == ["filling the form", "submitting"]


def test_a_disk_that_refuses_costs_the_record_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "recorder").write_text("in the way")
    recorder = FlightRecorder(tmp_path / "recorder")
    assert not recorder.write(moment(0))
    assert not recorder.write(moment(1))
    assert len(caplog.records) == 1


def test_nothing_recorded_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Nothing is recorded in"):
        read(tmp_path)
