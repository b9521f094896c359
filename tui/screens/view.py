"""What every view is: its frame, its keys, how it asks and when it draws.

Invariant: a view draws only what the model and its last answers hold, and only when the application's tick says so; it asks in
the background, one question at a time, at most once a second for what happens by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from registre.access import Role
from registre.errors import RegistreError
from tui.background import begin
from tui.client import Client, may
from tui.model import Link, Model
from tui.pen import Pen
from tui.tongue import Tongue
from tui.widgets.bars import Banner, Key, KeyBar, TooSmall, TopBar
from tui.widgets.listing import Listing

if TYPE_CHECKING:
    from tui.app import Dashboard

LEAST_COLUMNS, LEAST_ROWS = 60, 16
RELOAD_SECONDS = 1.0


class View(Screen[None]):
    """One view. Subclasses give `body`, `paint`, and where they ask something of their own, `load`."""

    NAME: ClassVar[str] = ""
    KEYS: ClassVar[tuple[Key, ...]] = ()
    """This view's own, the most needed first."""
    FOLLOWS: ClassVar[bool] = False
    """Whether what it asked is asked again when something happened."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", show=False),
        Binding("colon", "command", show=False),
        Binding("escape", "back", show=False),
        Binding("f5", "again", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._asked_at = float("-inf")
        self._heard = -1
        self._is_ready = False

    # -- what a view uses

    @property
    def dashboard(self) -> Dashboard:
        return cast("Dashboard", self.app)

    @property
    def model(self) -> Model:
        return self.dashboard.model

    @property
    def client(self) -> Client:
        return self.dashboard.client

    @property
    def pen(self) -> Pen:
        return self.dashboard.pen

    @property
    def tongue(self) -> Tongue:
        return self.dashboard.tongue

    # -- what a view is

    def body(self) -> ComposeResult:
        yield from ()

    def paint(self) -> None:
        """Draw what is known now; cheap, and called on every tick that something changed."""

    async def load(self) -> None:
        """Ask what only this view needs. RegistreError is told in the banner."""

    def head(self) -> None:
        """Name the columns, in the language in use."""

    def filter_text(self) -> str | None:
        """What `/` begins with; None where nothing can be filtered."""
        return None

    def filtered(self, text: str) -> None:
        """The text in `/` changed."""

    # -- its frame

    def compose(self) -> ComposeResult:
        yield TopBar(id="top")
        yield Banner(id="banner")
        with Vertical(id="body"):
            yield from self.body()
        yield KeyBar(id="keys")
        yield TooSmall(id="too-small")

    def on_mount(self) -> None:
        self._is_ready = True
        self.head()

    def on_screen_resume(self) -> None:
        self.draw()
        self.reload()

    def on_resize(self) -> None:
        width, height = self.app.size
        self.set_class(width < LEAST_COLUMNS or height < LEAST_ROWS, "-too-small")
        self.call_after_refresh(self.draw)

    @property
    def is_whole(self) -> bool:
        """Whether it can be drawn: composed, and not on its way out."""
        return self._is_ready and self in self.app.screen_stack and bool(self.query(TooSmall))

    def draw(self) -> None:
        """The frame, and what is in it."""
        if not self.is_whole:
            return
        app, say = self.dashboard, self.tongue.say
        width, height = app.size
        self.query_one(TooSmall).draw(
            say(
                "This terminal has %(width)s columns and %(height)s rows; at least %(least)s are needed.",
                width=width,
                height=height,
                least=f"{LEAST_COLUMNS} × {LEAST_ROWS}" if not app.ascii_only else f"{LEAST_COLUMNS} x {LEAST_ROWS}",
            )
        )
        self.query_one(TopBar).draw(app.view_names(), app.current_mode, app.standing(), short=width < 110)
        sentence, is_grave = app.trouble()
        self.query_one(Banner).draw(sentence, is_grave=is_grave)
        keys = [key for key in self.KEYS if self.allowed(key.needs)]
        self.query_one(KeyBar).draw(keys, app.KEYS, self.pen)
        if self.model.link is not Link.CONNECTING or self.model.overview is not None:
            self.paint()

    def allowed(self, needed: Role) -> bool:
        return may(self.model.caller.role, needed, read_only=self.dashboard.read_only)

    def permits(self, needed: Role) -> bool:
        """Whether the caller may; one who may not is told why."""
        if self.allowed(needed):
            return True
        if self.dashboard.read_only:
            self.dashboard.complain(self.tongue.say("Nothing is changed with --read-only."))
        else:
            self.dashboard.complain(
                self.tongue.say(
                    "This needs a key of the role %(needed)s; yours is a %(role)s's.",
                    needed=needed,
                    role=self.model.caller.role,
                )
            )
        return False

    # -- asking

    def tick(self, now: float, *, is_due: bool) -> None:
        """From the application, some ten times a second; `is_due` when the model or the second changed."""
        if self.FOLLOWS and self.model.heard != self._heard and now - self._asked_at >= RELOAD_SECONDS:
            self.reload()
        if is_due:
            self.draw()

    def reload(self) -> None:
        """Ask again, now. A question under way is given up for the new one."""
        if type(self).load is View.load or not self.dashboard.is_online:
            return
        self._asked_at = self.dashboard.monotonic()
        self._heard = self.model.heard
        begin(self, self._load, "load", instead=True)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.dashboard.stumble(event.worker.error)

    async def _load(self) -> None:
        try:
            await self.load()
        except RegistreError as error:
            self.dashboard.complain(self.tongue.reason(error.message))
        self.draw()

    # -- keys that every view has

    def action_again(self) -> None:
        self.dashboard.hurry()
        self.reload()

    def action_back(self) -> None:
        """What is open over the view is closed by itself; here it undoes the filter."""
        if self.filter_text():
            self.filtered("")

    def action_filter(self) -> None:
        text = self.filter_text()
        if text is None:
            self.dashboard.complain(self.tongue.say("Nothing can be filtered in this view."))
            return
        self.dashboard.ask_line("/", text, self.filtered)

    def action_command(self) -> None:
        self.dashboard.ask_command()

    def copied(self, text: str) -> None:
        """Put it on the clipboard of the terminal (OSC 52), also over ssh."""
        self.app.copy_to_clipboard(text)
        self.app.notify(self.tongue.say("Copied: %(text)s", text=text), markup=False)

    def listing(self, selector: str = "Listing") -> Listing:
        return self.query_one(selector, Listing)

    def do(self, work: Callable[[], Awaitable[str]]) -> None:
        """A change a person asked for: never given up for another. Its sentence is shown, or why it was refused."""
        begin(self, partial(self._do, work), "do")

    async def _do(self, work: Callable[[], Awaitable[str]]) -> None:
        try:
            self.app.notify(await work(), markup=False)
        except RegistreError as error:
            self.app.notify(self.tongue.reason(error.message), severity="error", timeout=10, markup=False)
        self.dashboard.hurry()
        self.reload()
