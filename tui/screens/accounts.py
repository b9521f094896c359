"""The registry accounts: adding, pausing, putting back into service.

Invariant: a password is typed behind dots, sent once and kept by nothing here.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from registre.access import Role
from tui import looks, wire
from tui.lines import add_account_line
from tui.screens.boxes import Confirm, NewAccount, Told
from tui.screens.fleet import pause_or_resume
from tui.screens.view import View
from tui.tongue import N_
from tui.widgets.bars import Key
from tui.widgets.listing import Listing
from tui.widgets.sheet import Column, Line

CHECK_LINE = "registre site check"


class AccountsView(View):
    NAME = N_("Accounts")
    FOLLOWS = True
    KEYS = (
        Key("n", "n", N_("add, or a new password"), Role.ADMIN),
        Key("p", "p", N_("pause or resume"), Role.OPERATOR),
        Key("U", "U", N_("put back into service"), Role.OPERATOR),
        Key("t", "t", N_("test the sign-in")),
        Key("y", "y", N_("copy")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "add", show=False),
        Binding("p", "pause", show=False),
        Binding("U", "restore", show=False),
        Binding("t", "test", show=False),
        Binding("y", "copy", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._accounts: tuple[wire.Account, ...] | None = None

    def body(self) -> ComposeResult:
        yield Listing()

    def head(self) -> None:
        say = self.tongue.say
        self.listing().head(
            [
                Column("state", say("state"), 14),
                Column("account", say("account"), 8),
                Column("host", say("host"), 16, 100),
                Column("used", say("last used"), 16),
                Column("failures", say("failures"), 8, 90),
                Column("documents", say("docs"), 5),
                Column("cost", say("cost"), 9),
                Column("until", say("until"), 16, 110),
                Column("reason", say("why"), 0),
            ]
        )

    async def load(self) -> None:
        self._accounts = (await self.client.get("/api/accounts", wire.Accounts)).accounts

    def paint(self) -> None:
        if self._accounts is None:
            return
        pen, tongue, now = self.pen, self.tongue, self.dashboard.now()
        self.listing().show(
            [
                Line(
                    account.username,
                    {
                        "state": pen.badge(looks.of_account(account)),
                        "account": pen.text(account.username, bold=True),
                        "host": pen.text(account.host),
                        "used": pen.text(tongue.moment(account.last_used, now)),
                        "failures": pen.text(account.failure_count or ""),
                        "documents": pen.text(account.documents_today),
                        "cost": pen.text(tongue.money(account.cost_today_cents)),
                        "until": pen.text(tongue.moment(account.until, now)),
                        "reason": pen.text(account.reason or "", "error"),
                    },
                )
                for account in self._accounts
            ],
            empty=tongue.say("No account yet: n adds one, as `registre accounts add` does."),
        )

    def _current(self) -> wire.Account | None:
        key = self.listing().sheet.current
        return next((account for account in self._accounts or () if account.username == key), None)

    def action_copy(self) -> None:
        account = self._current()
        if account:
            self.copied(account.username)

    def action_pause(self) -> None:
        account = self._current()
        if account and self.permits(Role.OPERATOR):
            pause_or_resume(self, account)

    def action_add(self) -> None:
        if not self.permits(Role.ADMIN):
            return
        say = self.tongue.say
        told = Told(
            say("Add an account, or give one a new password"),
            [say("A new password also puts an account that was set aside back into service.")],
            add_account_line(),
        )

        def given(pair: tuple[str, str] | None) -> None:
            if pair:
                self.do(lambda: self.dashboard.deeds.add_account(*pair))

        self.app.push_screen(NewAccount(told, self.tongue), given)

    def action_restore(self) -> None:
        account, say = self._current(), self.tongue.say
        if account is None or not self.permits(Role.OPERATOR):
            return
        if account.state != "set aside":
            self.dashboard.complain(say("This account is not set aside."))
            return
        told = Told(
            say("Put %(name)s back into service", name=account.username),
            [
                say("It was set aside: %(why)s", why=account.reason or ""),
                say("A refused password is mended by giving another one (n): a second refusal may lock the account."),
            ],
            "",
        )
        self.app.push_screen(
            Confirm(told, self.tongue),
            lambda is_sure: self.do(lambda: self.dashboard.deeds.restore(account.username)) if is_sure else None,
        )

    def action_test(self) -> None:
        """A sign-in needs a browser, which only a worker's host has; so the line to run there is copied."""
        self.app.copy_to_clipboard(CHECK_LINE)
        self.app.notify(
            self.tongue.say(
                "Run `%(line)s` on a worker's host: it signs in with one free account and buys nothing. Copied.",
                line=CHECK_LINE,
            ),
            markup=False,
        )
