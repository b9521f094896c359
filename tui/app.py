"""The terminal dashboard: its views, its clock, and what all of them share.

Invariant: it speaks to the API alone, and leaving it stops nothing. Whatever comes, views are drawn by one tick, at most
`TICKS_A_SECOND` times a second, and only the view one looks at.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.color import Color, ColorParseError
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from registre.language import Language
from tui.background import begin
from tui.client import Client
from tui.deeds import Deeds
from tui.feed import Feed
from tui.model import Link, Model
from tui.pen import Pen
from tui.screens.accounts import AccountsView
from tui.screens.batches import BatchesView
from tui.screens.costs import CostsView
from tui.screens.events import EventsView
from tui.screens.failures import FailuresView
from tui.screens.fleet import FleetView
from tui.screens.help import Help
from tui.screens.job import JobView
from tui.screens.queue import QueueView
from tui.screens.view import View
from tui.themes import DARK, THEMES
from tui.tongue import N_, Tongue
from tui.widgets.bars import Key
from tui.widgets.prompt import Prompt
from tui.words import VERBS, Commands, run_words

TICKS_A_SECOND = 8
COMPLAINT_SECONDS = 8.0

VIEWS: dict[str, tuple[str, type[View]]] = {
    "fleet": (N_("Fleet"), FleetView),
    "queue": (N_("Queue"), QueueView),
    "failures": (N_("Failures"), FailuresView),
    "batches": (N_("Batches"), BatchesView),
    "accounts": (N_("Accounts"), AccountsView),
    "events": (N_("Events"), EventsView),
    "costs": (N_("Costs"), CostsView),
}
"""Mode → its name and its view, in the order of their numbers."""


class Dashboard(App[None]):
    """`registre tui`. `now` tells the time that is shown, `monotonic` the one that is waited by."""

    TITLE = "registre"
    CSS_PATH = ["dashboard.tcss", "boxes.tcss"]  # noqa: RUF012 - Textual's own form
    COMMANDS = {Commands}  # noqa: RUF012 - Textual's own form
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {mode: view for mode, (_, view) in VIEWS.items()}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"show_view('{mode}')", show=False) for number, mode in enumerate(VIEWS, 1)),
        Binding("q", "quit", show=False),
        Binding("ctrl+c", "quit", show=False),
        Binding("question_mark", "help", show=False),
        Binding("ctrl+t", "next_theme", show=False),
    ]
    KEYS: ClassVar[tuple[Key, ...]] = (
        Key("question_mark", "?", N_("help")),
        Key("q", "q", N_("quit")),
    )
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - Textual's own form
    VERTICAL_BREAKPOINTS = [(0, "-low"), (40, "-broad")]  # noqa: RUF012 - Textual's own form

    def __init__(
        self,
        client: Client,
        model: Model,
        *,
        spoken: Language = Language.FRENCH,
        read_only: bool = False,
        ascii_only: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tongue = Tongue(spoken)
        self.client = client
        self.model = model
        self.read_only = read_only
        self.ascii_only = ascii_only
        self.now = now
        self.monotonic = monotonic
        self.paints = 0
        """How often a view was drawn."""
        self.stumbles: list[BaseException] = []
        self.feed = Feed(client, model, now)
        self.deeds = Deeds(client, self.tongue)
        self._complaint = ("", float("-inf"))
        self._drawn: tuple[object, ...] = ()
        super().__init__()
        self.pen = Pen(self.tongue, self._colour, ascii_only=ascii_only)

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name
        self.set_class(self.ascii_only, "-ascii")
        self.theme_changed_signal.subscribe(self, lambda _: self.redraw())
        self.switch_mode("fleet")
        self.start()
        self.set_interval(1 / TICKS_A_SECOND, self._tick)

    def start(self) -> None:
        """Begin to listen and to look."""
        begin(self, self.feed.follow, "follow")
        begin(self, self.feed.look, "look")

    # -- drawing

    def _tick(self) -> None:
        view = self.view
        if view is None or not view.is_whole:
            return
        shown = (self.model.version, int(self.now().timestamp()), self.trouble())
        is_due = shown != self._drawn
        if is_due:
            self._drawn = shown
            self.paints += 1
        view.tick(self.monotonic(), is_due=is_due)

    @property
    def view(self) -> View | None:
        """The view one looks at, also through a box."""
        return next((screen for screen in reversed(self.screen_stack) if isinstance(screen, View)), None)

    def redraw(self) -> None:
        """Everything anew: the language or the theme changed."""
        view = self.view
        if view is not None and view.is_whole:
            view.head()
            view.draw()

    def _colour(self, name: str) -> str:
        """A theme's variable as a colour that Rich knows."""
        value = self.theme_variables.get(name, "")
        try:
            return Color.parse(value).rich_color.name if value else ""
        except ColorParseError:
            return ""

    def view_names(self) -> list[tuple[str, str]]:
        return [(mode, self.tongue.say(name)) for mode, (name, _) in VIEWS.items()]

    def standing(self) -> str:
        """The connection, and the time in Quebec."""
        words = {
            Link.CONNECTING: self.tongue.say("connecting"),
            Link.LIVE: self.tongue.say("live"),
            Link.LOST: self.tongue.say("cut off"),
            Link.REPLAY: self.tongue.say("replay"),
        }
        glyphs = {Link.CONNECTING: "~", Link.LIVE: "*", Link.LOST: "!", Link.REPLAY: ">"}
        if not self.ascii_only:
            glyphs = {Link.CONNECTING: "◔", Link.LIVE: "●", Link.LOST: "✗", Link.REPLAY: "▷"}
        link = self.model.link
        only = f" · {self.tongue.say('read only')}" if self.read_only else ""
        return f"{glyphs[link]} {words[link]}{only} {self.tongue.clock(self.now(), seconds=True)}"

    def trouble(self) -> tuple[str, bool]:
        """What the banner says, and whether it is the connection."""
        if self.model.link is Link.LOST:
            again = self.model.again_at
            seconds = max(0, round((again - self.now()).total_seconds())) if again else 0
            return (
                self.tongue.say(
                    "Cut off: %(why)s Trying again in %(seconds)s s; what is shown is of before.",
                    why=self.tongue.reason(self.model.trouble),
                    seconds=seconds,
                ),
                True,
            )
        sentence, until = self._complaint
        return (sentence if self.monotonic() < until else "", False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.stumble(event.worker.error)

    def stumble(self, error: BaseException) -> None:
        """Something failed that nobody foresaw: one sentence, and the dashboard goes on."""
        self.stumbles.append(error)
        self.complain(
            self.tongue.say("The dashboard failed here (%(error)s); q and a new start help.", error=repr(error)[:120])
        )

    def complain(self, sentence: str) -> None:
        """A sentence in the banner for some seconds."""
        self._complaint = (sentence, self.monotonic() + COMPLAINT_SECONDS)

    # -- what is asked of it

    @property
    def is_online(self) -> bool:
        """Whether there is somebody to ask."""
        return self.model.link is not Link.REPLAY

    def hurry(self) -> None:
        self.feed.hurry()

    def action_show_view(self, mode: str) -> None:
        if mode != self.current_mode:
            self.switch_mode(mode)

    def show_queue(self, text: str) -> None:
        """The queue, filtered."""
        self.switch_mode("queue")
        view = self.view
        if isinstance(view, QueueView):
            view.filtered(text)

    def show_job(self, extraction_id: str) -> None:
        self.push_screen(JobView(extraction_id))

    def action_press(self, key: str) -> None:
        self.simulate_key(key)

    def action_help(self) -> None:
        view = self.view
        if view is not None and not isinstance(self.screen, Help):
            self.push_screen(Help(view))

    def action_next_theme(self) -> None:
        names = [theme.name for theme in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]

    def speak(self, spoken: Language) -> None:
        self.tongue = Tongue(spoken)
        self.pen.tongue = self.tongue
        self.deeds = Deeds(self.client, self.tongue)
        self.redraw()

    def ask_line(self, sign: str, text: str, live: Callable[[str], None]) -> None:
        self.push_screen(Prompt(sign, text, live=live, hint=self.tongue.say("a number, or status=failed source=acte")))

    def ask_command(self) -> None:
        words = sorted(word for verb in VERBS for word in verb.words)
        self.push_screen(Prompt(":", words=words), self._run_words)

    def _run_words(self, text: str | None) -> None:
        if text and text.strip():
            run_words(self, text.strip())
