"""The queue: its counts and its pace, and the orders page by page, filtered and sorted by the server.

Invariant: a page is asked for by cursor and holds `PAGE` orders, so that a key costs the same with ten orders and with a million.
The server sorts by when an order was given, which is what its indexes serve; by anything else only the page at hand is sorted.
Marks are ids; what is done to a whole listing names the number that was seen, and is refused when it changed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from registre.access import Role
from registre.errors import InvalidInput
from tui import choice, looks
from tui.bulk import ask_bulk
from tui.deeds import Chosen
from tui.screens.view import View
from tui.tongue import N_
from tui.widgets.bars import Key, Words
from tui.widgets.listing import Listing
from tui.widgets.sheet import Column, Line
from tui.wire import Extraction, ExtractionPage

PAGE = 100

SORTS = ((N_("newest first"), "-created_at"), (N_("oldest first"), "created_at"))
"""How the whole listing may stand, and what the server calls it."""

Arrangement = tuple[str, str, Callable[[Extraction], object], bool]
ARRANGEMENTS: tuple[Arrangement, ...] = (
    ("given", "", lambda job: job.created_at, False),
    ("status", N_("status"), lambda job: job.status, False),
    ("number", N_("number"), lambda job: (job.document_source, job.document_number), False),
    ("client", N_("client"), lambda job: job.client, False),
    ("cost", N_("cost"), lambda job: job.cost_cents, True),
)
"""How the orders of one page may stand: by which column, its name, its key, whether from the greatest. First as they came."""


class QueueView(View):
    NAME = N_("Queue")
    FOLLOWS = True
    KEYS = (
        Key("slash", "/", N_("filter")),
        Key("enter", "enter", N_("open it")),
        Key("space", "space", N_("mark")),
        Key("R", "R", N_("retry"), Role.OPERATOR),
        Key("C", "C", N_("cancel"), Role.OPERATOR),
        Key("n", "n", N_("next page")),
        Key("b", "b", N_("page before")),
        Key("s", "s", N_("oldest or newest first")),
        Key("o", "o", N_("arrange this page")),
        Key("a", "a", N_("mark all")),
        Key("y", "y", N_("copy")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", show=False),
        Binding("a", "mark_all", show=False),
        Binding("R", "retry", show=False),
        Binding("C", "cancel", show=False),
        Binding("n", "next_page", show=False),
        Binding("b", "page_before", show=False),
        Binding("s", "sort", show=False),
        Binding("o", "arrange", show=False),
        Binding("y", "copy", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._choice: choice.Choice = {}
        self._page: ExtractionPage | None = None
        self._cursors: list[str | None] = [None]
        self._marks: dict[str, Extraction] = {}
        self._whole = False
        self._sort = 0
        self._arrangement = 0
        self._lines: dict[str, tuple[tuple[object, ...], Line]] = {}

    def body(self) -> ComposeResult:
        yield Words(id="pace")
        yield Words(id="money")
        yield Words(id="filter")
        yield Listing()

    def head(self) -> None:
        say = self.tongue.say
        self.listing().head(
            [
                Column("mark", "", 1),
                Column("status", self._marked("status", say("status")), 14),
                Column("source", say("source"), 16, 90),
                Column("number", self._marked("number", say("number")), 14),
                Column("place", say("place"), 26, 150),
                Column("client", self._marked("client", say("client")), 16, 100),
                Column("tries", say("tries"), 6, 110),
                Column("given", self._marked("given", say("given")), 10, 100),
                Column("cost", self._marked("cost", say("cost")), 8, 90),
                Column("told", say("what is known"), 0),
            ]
        )

    def _marked(self, column: str, title: str) -> str:
        """The title of a column, with an arrow where the listing, or the page, stands by it."""
        by, _, _, is_falling = ARRANGEMENTS[self._arrangement]
        if column != by:
            return title
        up, down = ("^", "v") if self.dashboard.ascii_only else ("▲", "▼")
        return f"{title} {down if is_falling or (self._arrangement == 0 and self._sort == 0) else up}"

    async def load(self) -> None:
        cursor, sort = self._cursors[-1], SORTS[self._sort][1]
        page = await self.client.get(
            "/api/extractions", ExtractionPage, limit=PAGE, cursor=cursor, sort=sort, **self._choice
        )
        if (cursor, sort) == (self._cursors[-1], SORTS[self._sort][1]):
            self._page = page
            there = {job.extraction_id for job in page.jobs}
            self._lines = {key: line for key, line in self._lines.items() if key in there}

    def paint(self) -> None:
        self.query_one("#pace", Words).put(self._pace())
        self.query_one("#money", Words).put(self._money())
        line = self.query_one("#filter", Words)
        line.display = bool(self._text)
        line.put(self.pen.text(f"/ {self._text}", "accent"))
        page = self._page
        if page is None:
            return
        _, _, key, is_reversed = ARRANGEMENTS[self._arrangement]
        jobs = sorted(page.jobs, key=key, reverse=is_reversed) if self._arrangement else list(page.jobs)  # type: ignore[arg-type]
        now = self.dashboard.now()
        self.listing().show(
            [self._line(job, now) for job in jobs],
            empty=self.tongue.say("No order is as asked." if self._choice else "No order yet."),
            foot=self._foot(page),
        )

    # -- what stands above and below the orders

    def _pace(self) -> Text:
        pen, tongue, found = self.pen, self.tongue, self.model.overview
        if found is None:
            return Text()
        parts: list[Text | str] = []
        counts = zip(
            ("En attente", "En traitement", "Complété", "Erreur"),
            (found.queue.waiting, found.queue.active, found.queue.completed, found.queue.failed),
            strict=True,
        )
        for status, count in counts:
            look = looks.of_status(status)
            parts.append(pen.badge(look, f"{tongue.number(count)} {tongue.say(look.word)}"))
        pulse = self.model.pulse
        if pulse is not None:
            wide = self.app.size.width >= 160
            beats = [float(beat.completed) for beat in pulse.beats]
            parts.append(pen.spark(beats, 60 if wide else 20, "success"))
            parts.append(tongue.say("%(n)s an hour", n=tongue.number(pulse.completed)))
            if pulse.p50_seconds is not None:
                parts.append(f"p50 {tongue.span(pulse.p50_seconds)}  p95 {tongue.span(pulse.p95_seconds)}")
        return pen.joined(*parts)

    def _money(self) -> Text:
        pen, tongue, found, now = self.pen, self.tongue, self.model.overview, self.dashboard.now()
        if found is None:
            return Text()
        today = found.today
        spent = tongue.money(today.spent_cents + today.ambiguous_cents)
        cap = f" / {tongue.money(today.cap_cents)}" if today.cap_cents is not None else ""
        oldest = (
            tongue.say("oldest waits for %(age)s", age=tongue.span(now - found.oldest_waiting_at))
            if found.oldest_waiting_at
            else ""
        )
        end = tongue.say("empty about %(at)s", at=tongue.moment(found.expected_end, now)) if found.expected_end else ""
        return pen.joined(tongue.say("today %(spent)s", spent=spent + cap), oldest, end)

    def _foot(self, page: ExtractionPage) -> str:
        tongue = self.tongue
        first = (len(self._cursors) - 1) * PAGE + 1
        last = first + len(page.jobs) - 1
        total = tongue.number(page.total) + ("" if page.total_is_exact else "+")
        parts = [
            tongue.say("%(first)s to %(last)s of %(total)s", first=first if page.jobs else 0, last=last, total=total),
            tongue.say(SORTS[self._sort][0]),
        ]
        if self._arrangement:
            parts.append(tongue.say("this page by %(column)s", column=tongue.say(ARRANGEMENTS[self._arrangement][1])))
        if self._whole:
            parts.append(tongue.say("the whole listing is meant"))
        elif self._marks:
            parts.append(tongue.many("%(n)s marked", "%(n)s marked", len(self._marks)))
        return " · ".join(parts)

    def _line(self, job: Extraction, now: datetime) -> Line:
        """Made anew only when something of it changed: a page is a thousand cells."""
        step = self.model.steps.get(job.extraction_id) or job.step or ""
        is_marked = self._whole or job.extraction_id in self._marks
        shown = (job, step, is_marked, self.tongue, self.dashboard.theme, now.date())
        known = self._lines.get(job.extraction_id)
        if known is None or known[0] != shown:
            known = self._lines[job.extraction_id] = shown, self._drawn(job, step, now, is_marked=is_marked)
        return known[1]

    def _drawn(self, job: Extraction, step: str, now: datetime, *, is_marked: bool) -> Line:
        pen, tongue, kind = self.pen, self.tongue, job.error_kind or ""
        if job.status == "En traitement":
            told = pen.text(tongue.say(looks.STEPS.get(step, step)), "primary")
        elif job.status == "Erreur":
            told = pen.text(tongue.reason(job.error_message) or tongue.say(looks.KINDS.get(kind, kind)), "error")
        elif job.status == "Complété":
            told = pen.text(job.supabase_path or "", "text-muted")
        else:
            told = pen.text(tongue.reason(job.wait_reason), "text-muted")
        return Line(
            job.extraction_id,
            {
                "mark": pen.mark() if is_marked else pen.text(""),
                "status": pen.badge(looks.of_status(job.status)),
                "source": pen.text(job.document_source),
                "number": pen.text(job.document_number, bold=True),
                "place": pen.text(job.place),
                "client": pen.text(job.client),
                "tries": pen.text(f"{job.attempts}/{job.max_attempts}"),
                "given": pen.text(tongue.moment(job.created_at, now)),
                "cost": pen.text(tongue.money(job.cost_cents) if job.cost_cents else ""),
                "told": told,
            },
        )

    # -- the filter

    def filter_text(self) -> str | None:
        return self._text

    def filtered(self, text: str) -> None:
        try:
            chosen = choice.read(text)
        except InvalidInput as error:
            self.dashboard.complain(error.message)
            return
        self._text, self._choice = text.strip(), chosen
        self._cursors, self._marks, self._whole = [None], {}, False
        self.reload()

    # -- keys

    def _current(self) -> Extraction | None:
        key = self.listing().sheet.current
        return next((job for job in self._page.jobs if job.extraction_id == key), None) if self._page else None

    def on_sheet_selected(self) -> None:
        job = self._current()
        if job:
            self.dashboard.show_job(job.extraction_id)

    def action_copy(self) -> None:
        job = self._current()
        if job:
            self.copied(job.extraction_id)

    def action_mark(self) -> None:
        job = self._current()
        if job is None:
            return
        self._whole = False
        if self._marks.pop(job.extraction_id, None) is None:
            self._marks[job.extraction_id] = job
        self.listing().sheet.action_move(1)
        self.draw()

    def action_mark_all(self) -> None:
        """This page; then the whole listing; then nothing."""
        if self._page is None:
            return
        if self._whole:
            self._whole, self._marks = False, {}
        elif len(self._marks) >= len(self._page.jobs) > 0:
            if self._choice:
                self._whole, self._marks = True, {}
            else:
                self._marks = {}
                self.dashboard.complain(self.tongue.say("Filter first: every order there is would be meant."))
        else:
            self._marks |= {job.extraction_id: job for job in self._page.jobs}
        self.draw()

    def action_sort(self) -> None:
        """The whole listing from its other end; marks stay, since they are ids."""
        self._sort = (self._sort + 1) % len(SORTS)
        self._cursors, self._arrangement = [None], 0
        self.head()
        self.listing().sheet.go(0)
        self.reload()

    def action_arrange(self) -> None:
        self._arrangement = (self._arrangement + 1) % len(ARRANGEMENTS)
        self.head()
        self.draw()
        self.listing().sheet.go(0)

    def action_next_page(self) -> None:
        if self._page is not None and self._page.next_cursor:
            self._cursors.append(self._page.next_cursor)
            self.listing().sheet.go(0)
            self.reload()

    def action_page_before(self) -> None:
        if len(self._cursors) > 1:
            self._cursors.pop()
            self.reload()

    def action_retry(self) -> None:
        self._ask("retry")

    def action_cancel(self) -> None:
        self._ask("cancel")

    def _ask(self, action: str) -> None:
        if not self.permits(Role.OPERATOR):
            return
        if self._whole:
            chosen, sources = Chosen(listed=self._choice), [self._choice.get("source", "")]
        else:
            jobs = list(self._marks.values()) or [job for job in [self._current()] if job]
            if not jobs:
                return
            chosen = Chosen(ids=tuple(job.extraction_id for job in jobs))
            sources = sorted({job.document_source for job in jobs})
        ask_bulk(self, action, chosen, [source for source in sources if source], self._done)

    def _done(self) -> None:
        self._marks, self._whole = {}, False
