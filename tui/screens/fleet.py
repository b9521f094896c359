"""The fleet at one glance: each account and its browser, and above them the queue, the day, the gates and the hosts.

Invariant: what a session does now is what its worker told last; how long it has been at it is counted here, from the start the
queue names.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid

from registre.access import Role
from tui import looks
from tui.lines import pause_line, resume_line
from tui.screens.boxes import Confirm, Reason, Told
from tui.screens.view import View
from tui.tongue import N_
from tui.widgets.bars import Key, Words
from tui.widgets.listing import Listing
from tui.widgets.sheet import Column, Line
from tui.wire import Account, Extraction, Host, Overview

LATE_SECONDS, AWAY_SECONDS = 60, 600
"""A worker renews three times in a visibility timeout, which is a minute unless it was set otherwise."""
PANELS = ("queue", "today", "gates", "health")


class FleetView(View):
    NAME = N_("Fleet")
    KEYS = (
        Key("enter", "enter", N_("its order")),
        Key("p", "p", N_("pause or resume"), Role.OPERATOR),
        Key("P", "P", N_("pause everything"), Role.OPERATOR),
        Key("y", "y", N_("copy")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", show=False),
        Binding("P", "pause_all", show=False),
        Binding("y", "copy", show=False),
    ]

    def body(self) -> ComposeResult:
        with Grid(id="panels"):
            for name in PANELS:
                yield Words(id=name, classes="panel")
        yield Words(id="why")
        yield Listing()

    def head(self) -> None:
        say = self.tongue.say
        self.listing().head(
            [
                Column("state", say("state"), 14),
                Column("account", say("account"), 8),
                Column("host", say("host"), 12, 140),
                Column("order", say("order"), 18),
                Column("step", say("step"), 22),
                Column("elapsed", say("elapsed / limit"), 24, 120),
                Column("time", say("elapsed"), 9, 0, 120),
                Column("documents", say("docs"), 4, 96),
                Column("cost", say("cost"), 8, 96),
                Column("idle", say("idle"), 9, 110),
                Column("error", say("last error, or why not"), 0, 156),
            ]
        )
        for name, title in zip(PANELS, (say("Queue"), say("Today"), say("Gates"), say("Health")), strict=True):
            self.query_one(f"#{name}", Words).border_title = title

    def paint(self) -> None:
        found = self.model.overview
        if found is None:
            return
        panels = (self._queue(found), self._today(found), self._gates(found), self._health(found))
        for name, lines in zip(PANELS, panels, strict=True):
            panel = self.query_one(f"#{name}", Words)
            panel.put(Text("\n").join(lines))
            panel.display = name == "queue" or self.dashboard.is_online  # of the others nothing is recorded
        told = self._told(found)
        why = self.query_one("#why", Words)
        why.display = bool(told)
        why.put(Text("\n").join(told))
        self.listing().show(
            [self._line(account, found) for account in found.accounts],
            empty=self.tongue.say("No account yet: add one in the view of accounts, or with `registre accounts add`."),
            foot=self._whole_error(),
        )

    def _told(self, found: Overview) -> list[Text]:
        """What a person must not miss, each in its sentence."""
        pen, tongue, failing = self.pen, self.tongue, self.model.failing
        lines = []
        if alerts := self.model.alerts:
            said = f"{alerts[0].sentence.said(tongue.language)} {alerts[0].to_do.said(tongue.language)}"
            lines.append(pen.text(f"{tongue.many('%(n)s alert', '%(n)s alerts', len(alerts))}: {said}", "error"))
        if failing:
            first, n = failing[0], len(failing)
            word = tongue.many(
                "%(n)s document not taken by its bucket", "%(n)s documents not taken by their buckets", n
            )
            lines.append(pen.text(f"{word}: {first.source} {first.number}: {first.reason}", "error"))
        if found.waiting_because:
            lines.append(
                pen.text(f"{tongue.say('Why orders wait:')} {tongue.reason(found.waiting_because)}", "warning")
            )
        return lines

    # -- the panels

    def _queue(self, found: Overview) -> list[Text]:
        many, pen, tongue, queue = self.tongue.many, self.pen, self.tongue, found.queue
        lines = [
            pen.joined(
                pen.text(many("%(n)s waits", "%(n)s wait", queue.waiting), "warning" if queue.waiting else ""),
                pen.text(
                    many("%(n)s in progress", "%(n)s in progress", queue.active), "primary" if queue.active else ""
                ),
            ),
            pen.joined(
                pen.text(many("%(n)s completed", "%(n)s completed", queue.completed), "success"),
                pen.text(many("%(n)s failed", "%(n)s failed", queue.failed), "error" if queue.failed else ""),
            ),
        ]
        now = self.dashboard.now()
        if found.oldest_waiting_at:
            age = tongue.span(now - found.oldest_waiting_at)
            end = (
                tongue.say("done about %(at)s", at=tongue.moment(found.expected_end, now)) if found.expected_end else ""
            )
            lines.append(pen.joined(tongue.say("oldest: %(age)s", age=age), end))
        elif not queue.waiting:
            lines.append(pen.text(tongue.say("Nothing waits."), "text-muted"))
        return lines

    def _today(self, found: Overview) -> list[Text]:
        pen, tongue, today = self.pen, self.tongue, found.today
        spent = today.spent_cents + today.ambiguous_cents
        lines = [
            pen.joined(
                tongue.many("%(n)s document", "%(n)s documents", today.documents),
                pen.text(tongue.money(spent), bold=True),
            )
        ]
        if today.cap_cents:
            part = (spent + today.reserved_cents) / today.cap_cents
            colour = "error" if part >= 1 else "warning" if part >= 0.8 else "success"
            lines.append(
                pen.joined(pen.bar(part, 12, colour), tongue.say("of %(cap)s", cap=tongue.money(today.cap_cents)))
            )
        else:
            lines.append(pen.text(tongue.say("no budget for the day"), "text-muted"))
        under_way = (
            tongue.say("under way: %(cost)s", cost=tongue.money(today.reserved_cents)) if today.reserved_cents else ""
        )
        unsure = (
            pen.text(tongue.many("%(n)s ambiguous", "%(n)s ambiguous", today.ambiguous), "error")
            if today.ambiguous
            else ""
        )
        lines.append(pen.joined(unsure, under_way))
        return lines

    def _gates(self, found: Overview) -> list[Text]:
        pen, tongue, now = self.pen, self.tongue, self.dashboard.now()
        lines: list[Text] = []
        closed = [gate for gate in found.gates.closed if gate.gate != "pace"]
        if not any(gate.gate == "hours" for gate in closed):
            until = self.model.hours.open_until(now)
            word = tongue.say("open until %(at)s", at=tongue.moment(until, now)) if until else tongue.say("open")
            lines.append(pen.badge(looks.OPEN, word))
        for gate in closed:
            look = looks.PAUSED if gate.gate == "pause" else looks.CLOSED
            name = f" {gate.name}" if gate.name else ""
            until_text = f" ({tongue.say('until %(at)s', at=tongue.moment(gate.until, now))})" if gate.until else ""
            lines.append(
                pen.joined(
                    pen.badge(look, f"{tongue.say(looks.GATES.get(gate.gate, gate.gate))}{name}:"),
                    f"{tongue.reason(gate.reason)}{until_text}",
                    by=" ",
                )
            )
        return lines

    def _health(self, found: Overview) -> list[Text]:
        pen, tongue = self.pen, self.tongue
        answered = tongue.span(self.dashboard.now() - found.last_answer_at) if found.last_answer_at else ""
        lines = [
            pen.joined(
                pen.badge(looks.WELL, tongue.say("database")),
                tongue.say("site answered %(ago)s ago", ago=answered)
                if answered
                else tongue.say("site: nothing asked yet"),
            )
        ]
        if not self.model.hosts:
            lines.append(pen.badge(looks.NOTHING, tongue.say("no worker has started yet")))
        lines += [self._host(host, found) for host in self.model.hosts]
        return lines

    def _host(self, host: Host, found: Overview) -> Text:
        """Supervisor, dispatcher and lease keeper are one process: what the keeper renews speaks for all of it."""
        pen, tongue = self.pen, self.tongue
        silent = max(0.0, (found.at - host.seen_at).total_seconds())
        look = looks.WELL if silent < LATE_SECONDS else looks.LATE if silent < AWAY_SECONDS else looks.AWAY
        tasks = (
            pen.text(tongue.many("%(n)s to deliver", "%(n)s to deliver", host.undelivered), "warning")
            if host.undelivered
            else tongue.say("all delivered")
        )
        return pen.joined(pen.badge(look, host.host), tongue.say("%(ago)s ago", ago=tongue.span(silent)), tasks)

    # -- the accounts

    def _line(self, account: Account, found: Overview) -> Line:
        pen, tongue = self.pen, self.tongue
        order = self.model.order_of(account)
        step = self.model.step_of(account) if account.current_job_id else account.step or ""
        began = order.processing_started_at if order else None
        gone = (self.dashboard.now() - began).total_seconds() if began else None
        return Line(
            account.username,
            {
                "state": pen.badge(looks.of_account(account)),
                "account": pen.text(account.username, bold=True),
                "host": pen.text(account.host),
                "order": pen.text(_title(order, account)),
                "step": pen.text(tongue.say(looks.STEPS.get(step, step)), "primary"),
                "elapsed": self._against(gone, found.attempt_seconds),
                "time": pen.text(tongue.span(max(0.0, gone)) if gone is not None else ""),
                "documents": pen.text(account.documents_today).copy(),
                "cost": pen.text(tongue.money(account.cost_today_cents) if self.dashboard.is_online else ""),
                "idle": pen.text(self._idle(account)),
                "error": pen.text(self._error(account), "error" if account.reason else "text-muted"),
            },
        )

    def _error(self, account: Account) -> str:
        """Why it does not work, else how the newest of its orders that failed ended."""
        failed = self.model.last_errors.get(account.worker_id or "")
        return self.tongue.reason(account.reason or (failed.error_message if failed else ""))

    def _whole_error(self) -> Text | str:
        """Of the account under the cursor, since a column has no room for a sentence."""
        account = self._account()
        told = self._error(account) if account else ""
        if account is None or not told:
            return ""
        return self.pen.joined(self.pen.text(account.username, bold=True), told)

    def _against(self, gone: float | None, limit: float) -> Text:
        if gone is None:
            return Text()
        if not limit:
            return self.pen.text(self.tongue.span(max(0.0, gone)))
        part = gone / limit
        colour = "error" if part >= 0.9 else "warning" if part >= 0.6 else "primary"
        return self.pen.joined(
            self.tongue.span(max(0.0, gone)), self.pen.bar(part, 4, colour), self.tongue.span(limit), by=" "
        )

    def _idle(self, account: Account) -> str:
        since: datetime | None = account.since if account.work == "idle" else None
        return self.tongue.span(max(0.0, (self.dashboard.now() - since).total_seconds())) if since else ""

    # -- keys

    def _account(self) -> Account | None:
        current, found = self.listing().sheet.current, self.model.overview
        return next((a for a in found.accounts if a.username == current), None) if found else None

    def on_sheet_moved(self) -> None:
        self.draw()

    def on_sheet_selected(self) -> None:
        account = self._account()
        if account and account.current_job_id:
            self.dashboard.show_job(account.current_job_id)

    def action_copy(self) -> None:
        account = self._account()
        if account:
            self.copied(account.current_job_id or account.username)

    def action_pause(self) -> None:
        account = self._account()
        if account and self.permits(Role.OPERATOR):
            pause_or_resume(self, account)

    def action_pause_all(self) -> None:
        found = self.model.overview
        if found is None or not self.permits(Role.OPERATOR):
            return
        paused = any(pause.scope == "site" for pause in found.gates.pauses)
        change_pause(self, "site", "", is_paused=paused)


def pause_or_resume(view: View, account: Account) -> None:
    change_pause(view, "account", account.username, is_paused=account.state == "paused")


def change_pause(view: View, scope: str, name: str, *, is_paused: bool) -> None:
    """Ask, then pause or resume."""
    say = view.tongue.say
    what = name or say("every order")

    def resume(is_sure: bool | None) -> None:
        if is_sure:
            view.do(lambda: view.dashboard.deeds.resume(scope, name))

    def pause(reason: str | None) -> None:
        if reason:
            view.do(lambda: view.dashboard.deeds.pause(scope, name, reason))

    if is_paused:
        told = Told(say("Resume %(what)s", what=what), [say("Orders start again at once.")], resume_line(scope, name))
        view.app.push_screen(Confirm(told, view.tongue), resume)
    else:
        told = Told(
            say("Pause %(what)s", what=what),
            [say("What runs is finished, and nothing new is started with it until it is resumed.")],
            pause_line(scope, name),
        )
        view.app.push_screen(Reason(told, view.tongue), pause)


def _title(order: Extraction | None, account: Account) -> str:
    if order is not None:
        return f"{order.document_source} {order.document_number}"
    return (account.current_job_id or "")[:8]
