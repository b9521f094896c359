"""The dashboard as it was: a fleet drawn from the flight recorder, played, paused and stepped through.

Invariant: nothing is asked and nothing can be changed; what a moment does not hold is shown as unknown, never made up.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, time, timedelta
from typing import ClassVar

from textual.binding import Binding, BindingType

from registre.access import Role
from registre.errors import InvalidInput
from registre.language import TORONTO, Language
from registre.recording import Moment
from tui import wire
from tui.app import Dashboard
from tui.client import Client
from tui.model import Link, Model
from tui.tongue import N_
from tui.widgets.bars import Key

NOWHERE = "http://localhost"
SPEEDS = (1, 5, 20, 60)


class Replay(Dashboard):
    """`moments` are not empty and in order; it begins with the last one at or before `begin`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "play", show=False, priority=True),
        Binding("left,comma", "step(-1)", show=False, priority=True),
        Binding("right,full_stop", "step(1)", show=False, priority=True),
        Binding("pageup", "jump(-60)", show=False, priority=True),
        Binding("pagedown", "jump(60)", show=False, priority=True),
        Binding("s", "speed", show=False, priority=True),
    ]
    KEYS = (
        Key("space", "space", N_("play or hold")),
        Key("left", "←", N_("step back")),
        Key("right", "→", N_("step on")),
        Key("pagedown", "pgdn", N_("a minute on")),
        Key("s", "s", N_("faster")),
        Key("question_mark", "?", N_("help")),
        Key("q", "q", N_("quit")),
    )

    def __init__(
        self, moments: list[Moment], begin: datetime | None, *, spoken: Language, ascii_only: bool = False
    ) -> None:
        self.moments = moments
        self._at = max(0, bisect_right([moment.at for moment in moments], begin) - 1) if begin else 0
        self._playing = False
        self._speed = 0
        self._time = moments[self._at].at
        self._ticked_at: float | None = None
        model = Model(link=Link.REPLAY, caller=wire.Caller("replay", Role.VIEWER))
        super().__init__(
            Client(NOWHERE, None), model, spoken=spoken, read_only=True, ascii_only=ascii_only, now=lambda: self._time
        )

    def start(self) -> None:
        """Nobody is listened to."""
        self._go(self._at)
        self.set_interval(0.1, self.advance)

    def standing(self) -> str:
        word = self.tongue.say("playing") if self._playing else self.tongue.say("held")
        place = f"{self._at + 1}/{len(self.moments)}"
        times = "x" if self.ascii_only else "×"
        local = self._time.astimezone(TORONTO)
        return f"{word} {times}{SPEEDS[self._speed]}  {place}  {local:%Y-%m-%d %H:%M:%S}"

    def hurry(self) -> None:
        """There is nothing newer."""

    def action_show_view(self, mode: str) -> None:
        if mode != "fleet":
            self.complain(self.tongue.say("Only the fleet was recorded."))

    def show_job(self, extraction_id: str) -> None:
        self.complain(self.tongue.say("Only the fleet was recorded."))

    def show_queue(self, text: str) -> None:
        self.complain(self.tongue.say("Only the fleet was recorded."))

    # -- going through time

    def advance(self) -> None:
        """While it plays: so much of the recorded time as has passed since."""
        now = self.monotonic()
        gone = now - self._ticked_at if self._ticked_at is not None else 0.0
        self._ticked_at = now
        if not self._playing:
            return
        self._time += timedelta(seconds=gone * SPEEDS[self._speed])
        self._show(max(0, bisect_right([moment.at for moment in self.moments], self._time) - 1))
        if self._time >= self.moments[-1].at:
            self._playing = False

    def action_play(self) -> None:
        if not self._playing and self._at == len(self.moments) - 1:
            self._go(0)
        self._playing = not self._playing
        self.redraw()

    def action_step(self, moments: int) -> None:
        self._playing = False
        self._go(min(max(0, self._at + moments), len(self.moments) - 1))

    def action_jump(self, seconds: int) -> None:
        wanted = self._time + timedelta(seconds=seconds)
        self._go(max(0, bisect_right([moment.at for moment in self.moments], wanted) - 1))

    def action_speed(self) -> None:
        self._speed = (self._speed + 1) % len(SPEEDS)
        self.redraw()

    def _go(self, at: int) -> None:
        self._time = self.moments[at].at
        self._show(at)

    def _show(self, at: int) -> None:
        self._at = at
        moment = self.moments[at]
        self.model.hosts = (wire.Host(moment.host, moment.version, moment.at, 0, None),)
        self.model.seen(overview_of(moment), orders_of(moment), ())


def overview_of(moment: Moment) -> wire.Overview:
    """The moment as an overview. Of money nothing is recorded."""
    queue = wire.Queue(moment.waiting or 0, moment.active or 0, moment.completed or 0, moment.failed or 0)
    return wire.Overview(
        at=moment.at,
        version=moment.version,
        queue=queue,
        oldest_waiting_at=None,
        expected_end=None,
        waiting_because=moment.waiting_because if moment.waiting is not None else "the database was away",
        gates=wire.Gates(),
        accounts=tuple(_account(moment, browser.username) for browser in moment.browsers),
        today=wire.Today(0, 0, 0, 0, 0, None),
        last_answer_at=None,
        idle_limit_seconds=None,
        attempt_seconds=0.0,
    )


def orders_of(moment: Moment) -> tuple[wire.Extraction, ...]:
    return tuple(
        wire.Extraction(
            extraction_id=browser.order,
            document_source=browser.source,
            status="En traitement",
            document_number=browser.number,
            supabase_path=None,
            error_message=None,
            created_at=browser.began or moment.at,
            processing_started_at=browser.began,
            worker_id=f"{moment.host}/{browser.username}",
            attempts=1,
            max_attempts=1,
            circonscription_fonciere="",
            cadastre="",
            designation_secondaire="",
            acte_type="",
            client="",
            batch_id=None,
            priority=0,
            error_kind=None,
            notes=(),
            cost_cents=0,
            step=browser.step,
            next_attempt_at=None,
            wait_reason=None,
            deadline=None,
            finished_at=None,
        )
        for browser in moment.browsers
        if browser.order
    )


WORK = {
    "busy": "busy",
    "idle": "idle",
    "signed out": "idle",
    "opening": "idle",
    "silent": "offline",
    "closing": "offline",
}


def _account(moment: Moment, username: str) -> wire.Account:
    browser = next(browser for browser in moment.browsers if browser.username == username)
    return wire.Account(
        username=username,
        state="signed in" if browser.state != "signed out" else "free",
        reason=None,
        until=None,
        lease_owner=f"{moment.host}/",
        last_used=None,
        failure_count=0,
        worker_id=f"{moment.host}/{username}",
        work=WORK.get(browser.state, "idle"),
        since=browser.idle_since,
        current_job_id=browser.order,
        step="signing in" if browser.state == "opening" else browser.step,
        documents_today=browser.jobs_done,
        cost_today_cents=0,
        test=None,
    )


def instant_of(text: str, moments: list[Moment]) -> datetime | None:
    """`HH:MM` in America/Toronto: the last such time that is recorded. InvalidInput for what is no time, or not recorded."""
    try:
        wanted = time.fromisoformat(text)
    except ValueError:
        raise InvalidInput("time", f"'{text[:20]}' is no time of day, such as 14:05.") from None
    last = moments[-1].at.astimezone(TORONTO)
    day = last.date() if wanted <= last.time() else last.date() - timedelta(days=1)
    found = datetime.combine(day, wanted, TORONTO).astimezone(UTC)
    if found < moments[0].at - timedelta(minutes=1):
        first = moments[0].at.astimezone(TORONTO)
        raise InvalidInput("time", f"{text} is not recorded; it begins at {first:%Y-%m-%d %H:%M}.")
    return found
