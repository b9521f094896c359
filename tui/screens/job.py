"""One order from its beginning: what it is, its attempts, what was bought for it, and everything that happened to it.

Invariant: everything is asked anew when the stream tells something of this order, at most once a second; while it is worked on,
also every few seconds, since no event tells of a line that was logged.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from registre.access import Role
from registre.errors import StoreUnavailable
from tui import looks, wire
from tui.bulk import ask_bulk
from tui.deeds import Chosen
from tui.lines import settle_line
from tui.screens.boxes import Choose, Told
from tui.screens.view import RELOAD_SECONDS, View
from tui.tongue import N_
from tui.widgets.bars import Key
from tui.wire import Attempt, Extraction, Fact, LogLine, Purchase, words_of

SECTIONS = ("facts", "attempts", "ledger", "story", "log")
LOG_SECONDS = 3.0
"""A worker puts what it logged where it is read every two seconds."""
LEVELS = {"INFO": "primary", "WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}
UNSETTLED = ("ambiguous_purchase", "secured_elsewhere")


class JobView(View):
    NAME = N_("Order")
    KEYS = (
        Key("escape", "esc", N_("back")),
        Key("y", "y", N_("copy id")),
        Key("Y", "Y", N_("copy path")),
        Key("o", "o", N_("open document")),
        Key("R", "R", N_("retry"), Role.OPERATOR),
        Key("C", "C", N_("cancel"), Role.OPERATOR),
        Key("S", "S", N_("settle"), Role.OPERATOR),
        Key("e", "e", N_("copy evidence path")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy_id", show=False),
        Binding("Y", "copy_path", show=False),
        Binding("e", "copy_evidence", show=False),
        Binding("o", "open", show=False),
        Binding("R", "retry", show=False),
        Binding("C", "cancel", show=False),
        Binding("S", "settle", show=False),
        Binding("j", "scroll('down')", show=False),
        Binding("k", "scroll('up')", show=False),
    ]

    def __init__(self, extraction_id: str) -> None:
        super().__init__()
        self.extraction_id = extraction_id
        self._job: Extraction | None = None
        self._attempts: tuple[Attempt, ...] = ()
        self._ledger: tuple[Purchase, ...] = ()
        self._story: tuple[Fact, ...] = ()
        self._log: tuple[LogLine, ...] = ()
        self._why = ""

    def body(self) -> ComposeResult:
        with VerticalScroll(id="order"):
            for name in SECTIONS:
                yield Static(id=name, classes="panel")

    def head(self) -> None:
        say = self.tongue.say
        titles = (say("Order"), say("Attempts"), say("Ledger"), say("What happened"), say("Log of the workers"))
        for name, title in zip(SECTIONS, titles, strict=True):
            self.query_one(f"#{name}", Static).border_title = title

    def tick(self, now: float, *, is_due: bool) -> None:
        """Only what happened to this order makes it ask again."""
        if self.model.heard != self._heard and now - self._asked_at >= RELOAD_SECONDS:
            came = self.model.heard - self._heard
            self._heard = self.model.heard
            latest = list(self.model.events)[-came:] if came > 0 else []
            if any(fact.extraction_id == self.extraction_id for fact in latest):
                self.reload()
        if self._job is not None and self._job.status == "En traitement" and now - self._asked_at >= LOG_SECONDS:
            self.reload()
        if is_due:
            self.draw()

    async def load(self) -> None:
        path = f"/api/extractions/{self.extraction_id}"
        self._job = await self.client.get(path, Extraction)
        self._attempts = (await self.client.get(f"{path}/attempts", wire.Attempts)).attempts
        self._ledger = (await self.client.get(f"{path}/ledger", wire.Ledger)).lines
        self._story = (await self.client.get(f"{path}/events", wire.History)).events
        self._log = (await self.client.get(f"{path}/log", wire.Log)).lines
        is_open = self._job.status in ("En attente", "En traitement")
        self._why = (await self.client.get(f"{path}/why", wire.Why)).reason if is_open else ""

    def paint(self) -> None:
        job = self._job
        if job is None:
            return
        sections = (self._facts(job), self._tries(), self._money(), self._happened(), self._logged())
        for name, lines in zip(SECTIONS, sections, strict=True):
            self.query_one(f"#{name}", Static).update(Text("\n").join(lines))

    # -- its sections

    def _facts(self, job: Extraction) -> list[Text]:
        pen, tongue, say, now = self.pen, self.tongue, self.tongue.say, self.dashboard.now()
        step = self.model.steps.get(job.extraction_id) or job.step or ""
        title = f"{job.document_source} {job.document_number}" + (f" ({job.place})" if job.place else "")
        lines = [
            pen.joined(pen.badge(looks.of_status(job.status)), pen.text(title, bold=True)),
            pen.text(job.extraction_id, "text-muted"),
        ]
        if job.status == "En traitement":
            gone = (now - job.processing_started_at).total_seconds() if job.processing_started_at else None
            limit = self.model.overview.attempt_seconds if self.model.overview else None
            lines.append(
                pen.joined(
                    pen.text(say(looks.STEPS.get(step, step)), "primary"),
                    job.worker_id or "",
                    say("for %(gone)s of %(limit)s at most", gone=tongue.span(gone), limit=tongue.span(limit))
                    if gone is not None and limit is not None
                    else "",
                )
            )
        if self._why:
            lines.append(pen.text(tongue.reason(self._why), "warning"))
        if job.error_message or job.error_kind:
            kind = job.error_kind or ""
            told = tongue.reason(job.error_message)
            lines.append(pen.joined(pen.text(say(looks.KINDS.get(kind, kind)), "error", bold=True), told))
        if job.supabase_path:
            lines.append(pen.joined(say("document:"), pen.text(job.supabase_path, "success")))
        lines.append(
            pen.joined(
                say("client: %(client)s", client=job.client) if job.client else "",
                say("batch: %(batch)s", batch=job.batch_id) if job.batch_id else "",
                say("priority: %(priority)s", priority=job.priority) if job.priority else "",
                say("tries: %(made)s of %(most)s", made=job.attempts, most=job.max_attempts),
                say("cost: %(cost)s", cost=tongue.money(job.cost_cents)),
            )
        )
        lines.append(
            pen.joined(
                say("given %(at)s", at=tongue.moment(job.created_at, now)),
                say("ended %(at)s", at=tongue.moment(job.finished_at, now)) if job.finished_at else "",
                say("again %(at)s", at=tongue.moment(job.next_attempt_at, now)) if job.next_attempt_at else "",
                say("to be begun by %(at)s", at=tongue.moment(job.deadline, now)) if job.deadline else "",
            )
        )
        lines += [pen.text(f"· {tongue.reason(note)}") for note in job.notes]
        return lines

    def _tries(self) -> list[Text]:
        pen, tongue, now = self.pen, self.tongue, self.dashboard.now()
        if not self._attempts:
            return [pen.text(tongue.say("none yet"), "text-muted")]
        lines = []
        for attempt in self._attempts:
            took = (attempt.ended_at or now) - attempt.started_at
            lines.append(
                pen.joined(
                    f"{attempt.number}.",
                    tongue.clock(attempt.started_at, seconds=True),
                    pen.text(attempt.account, bold=True),
                    attempt.owner.partition("/")[0],
                    tongue.span(took),
                    pen.text(
                        tongue.say("under way")
                        if attempt.ending is None
                        else tongue.say(looks.ENDINGS.get(attempt.ending, attempt.ending)),
                        "" if attempt.ending else "primary",
                    ),
                    pen.text(tongue.reason(attempt.message), "error" if attempt.error_kind else "text-muted"),
                )
            )
            if attempt.evidence:
                lines.append(pen.joined("  ", tongue.say("evidence: %(path)s", path=attempt.evidence)))
        return lines

    def _money(self) -> list[Text]:
        pen, tongue = self.pen, self.tongue
        if not self._ledger:
            return [pen.text(tongue.say("nothing was bought"), "text-muted")]
        lines = []
        for line in self._ledger:
            stations = [
                f"{tongue.say(looks.of_purchase(state).word)} {tongue.clock(at, seconds=True)}"
                for state, at in (
                    ("intended", line.intended_at),
                    ("charged", line.charged_at),
                    ("secured", line.secured_at),
                    ("delivered", line.delivered_at),
                )
                if at is not None
            ]
            pages = tongue.many("%(n)s page", "%(n)s pages", line.pages) if line.pages else ""
            lines.append(
                pen.joined(
                    pen.badge(looks.of_purchase(line.state)),
                    tongue.money(line.fee_cents),
                    line.account,
                    pen.text((" > " if self.dashboard.ascii_only else " → ").join(stations), "text-muted"),
                    pages,
                    pen.text(tongue.reason(line.reason), "error"),
                )
            )
            if line.sha256:
                lines.append(pen.text(f"  sha256 {line.sha256}", "text-muted"))
        return lines

    def _happened(self) -> list[Text]:
        """Every line that was written about this order, oldest first."""
        return [fact_line(self, fact) for fact in self._story]

    def _logged(self) -> list[Text]:
        pen, tongue = self.pen, self.tongue
        if not self._log:
            return [pen.text(tongue.say("nothing was logged about it"), "text-muted")]
        return [
            pen.joined(
                pen.text(tongue.clock(line.at, seconds=True), "text-muted"),
                pen.text(line.level[:1], LEVELS.get(line.level, "text-muted"), bold=True),
                pen.text(line.host, "text-muted"),
                line.text.replace(f"job {self.extraction_id}: ", ""),
            )
            for line in self._log
        ]

    # -- keys

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_scroll(self, way: str) -> None:
        box = self.query_one("#order", VerticalScroll)
        if way == "down":
            box.scroll_down(animate=False)
        else:
            box.scroll_up(animate=False)

    def action_copy_id(self) -> None:
        self.copied(self.extraction_id)

    def action_copy_path(self) -> None:
        self._copy_or_say(self._job.supabase_path if self._job else None, self.tongue.say("It has no document yet."))

    def action_copy_evidence(self) -> None:
        kept = [attempt.evidence for attempt in self._attempts if attempt.evidence]
        self._copy_or_say(kept[-1] if kept else None, self.tongue.say("No attempt left evidence."))

    def _copy_or_say(self, text: str | None, otherwise: str) -> None:
        if text:
            self.copied(text)
        else:
            self.dashboard.complain(otherwise)

    def action_open(self) -> None:
        if self._job is None or not self._job.supabase_path:
            self.dashboard.complain(self.tongue.say("It has no document yet."))
            return
        self.do(self._open)

    async def _open(self) -> str:
        """Fetch it, and give it to the desktop; without one it is told where it lies."""
        name, content = await self.client.document(self.extraction_id)
        file = Path(tempfile.mkdtemp(prefix="registre-")) / name
        try:
            file.write_bytes(content)
        except OSError as error:
            raise StoreUnavailable(f"{file.parent} cannot be written: {error.strerror}.") from None
        if opened_by_desktop(file):
            return self.tongue.say("Opened: %(path)s", path=file)
        self.app.copy_to_clipboard(str(file))
        return self.tongue.say("Saved, and its path copied: %(path)s", path=file)

    def action_retry(self) -> None:
        self._ask("retry")

    def action_cancel(self) -> None:
        self._ask("cancel")

    def _ask(self, action: str) -> None:
        if self._job is not None and self.permits(Role.OPERATOR):
            ask_bulk(self, action, Chosen(ids=(self.extraction_id,)), [self._job.document_source], lambda: None)

    def action_settle(self) -> None:
        """Decide about a document that may be billed and is not here."""
        if self._job is None or not self.permits(Role.OPERATOR):
            return
        say = self.tongue.say
        if self._job.error_kind not in UNSETTLED:
            self.dashboard.complain(say("There is nothing to settle: its purchase is clear."))
            return
        fee = self._ledger[-1].fee_cents if self._ledger else 0
        told = Told(
            say("Settle an ambiguous purchase"),
            [
                say("Look at the registry's invoice first: this document may be billed and is not here."),
                say("Buying it again may cost %(fee)s a second time.", fee=self.tongue.money(fee)),
            ],
            settle_line("rebuy", self.extraction_id, billed=True),
        )
        choices = {
            "rebuy": say("Buy again"),
            "rebuy-free": say("Buy again: not billed"),
            "abandon": say("Give up"),
            "abandon-free": say("Give up: not billed"),
        }
        self.app.push_screen(Choose(told, self.tongue, choices), self._settled)

    def _settled(self, choice: str | None) -> None:
        if choice:
            decision, _, free = choice.partition("-")
            self.do(lambda: self.dashboard.deeds.settle(self.extraction_id, decision, billed=not free))


def fact_line(view: View, fact: Fact) -> Text:
    """An event in one line: when, what, which order, and its own words."""
    pen = view.pen
    return pen.joined(
        pen.text(view.tongue.clock(fact.at, seconds=True), "text-muted"),
        pen.text(fact.kind.ljust(20), looks.of_event(fact.kind)),
        pen.text((fact.extraction_id or "")[:8].ljust(8), "text-muted"),
        words_of(fact),
    )


def opened_by_desktop(file: Path) -> bool:
    """Give a file to whatever shows such files here; False where nothing does, such as over ssh."""
    if sys.platform == "darwin":
        command = "open"
    elif os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        command = "xdg-open"
    else:
        return False
    try:
        subprocess.Popen(
            [command, str(file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    return True
