"""The registry accounts: adding, pausing, testing the sign-in, setting aside and putting back into service.

Invariant: a password is typed behind dots, sent once and kept by nothing here.
"""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from registre.access import Role
from tui import looks, wire
from tui.lines import add_account_line, aside_line, restore_line, test_line
from tui.screens.boxes import Confirm, NewAccount, Reason, Told
from tui.screens.fleet import pause_or_resume
from tui.screens.view import View
from tui.tongue import N_
from tui.widgets.bars import Key
from tui.widgets.listing import Listing
from tui.widgets.sheet import Column, Line


class AccountsView(View):
    NAME = N_("Accounts")
    FOLLOWS = True
    KEYS = (
        Key("n", "n", N_("add, or a new password"), Role.ADMIN),
        Key("p", "p", N_("pause or resume"), Role.OPERATOR),
        Key("t", "t", N_("test the sign-in"), Role.OPERATOR),
        Key("X", "X", N_("set it aside"), Role.OPERATOR),
        Key("U", "U", N_("put back into service"), Role.OPERATOR),
        Key("y", "y", N_("copy")),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "add", show=False),
        Binding("p", "pause", show=False),
        Binding("t", "test", show=False),
        Binding("X", "put_aside", show=False),
        Binding("U", "restore", show=False),
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
                Column("state", say("state"), 15),
                Column("account", say("account"), 8),
                Column("host", say("host"), 16, 100),
                Column("used", say("last used"), 16),
                Column("failures", say("failures"), 8, 90),
                Column("documents", say("docs"), 5),
                Column("cost", say("cost"), 9),
                Column("tested", say("sign-in test"), 27, 110),
                Column("until", say("until"), 16, 150),
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
                        "tested": self._tested(account.test),
                        "until": pen.text(tongue.moment(account.until, now)),
                        "reason": pen.text(tongue.reason(account.reason), "error"),
                    },
                )
                for account in self._accounts
            ],
            empty=tongue.say("No account yet: n adds one, as `registre accounts add` does."),
            foot=self._whole(),
        )

    def _tested(self, test: wire.SignInTest | None) -> Text:
        if test is None:
            return Text()
        return self.pen.joined(
            self.pen.badge(looks.of_test(test)), self.tongue.moment(test.ended_at, self.dashboard.now())
        )

    def _whole(self) -> Text | str:
        """Of the account under the cursor why it is out, and what its test brought: a column has no room for sentences."""
        account, say = self._current(), self.tongue.say
        if account is None or (account.test is None and not account.reason):
            return ""
        parts: list[Text | str] = [self.pen.text(account.username, bold=True), self.tongue.reason(account.reason)]
        if test := account.test:
            parts.append(self._tested(test))
            if test.seconds is not None:
                parts.append(say("in %(span)s", span=self.tongue.span(test.seconds)))
            if test.outcome is None:
                parts.append(say("asked for by %(name)s", name=test.asked_by))
            elif test.message != account.reason:
                parts.append(self.tongue.reason(test.message))
        return self.pen.joined(*parts)

    def _current(self) -> wire.Account | None:
        key = self.listing().sheet.current
        return next((account for account in self._accounts or () if account.username == key), None)

    def on_sheet_moved(self) -> None:
        self.draw()

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
                say("It was set aside: %(why)s", why=self.tongue.reason(account.reason)),
                say("A refused password is mended by giving another one (n): a second refusal may lock the account."),
            ],
            restore_line(account.username),
        )
        self.app.push_screen(
            Confirm(told, self.tongue),
            lambda is_sure: self.do(lambda: self.dashboard.deeds.restore(account.username)) if is_sure else None,
        )

    def action_put_aside(self) -> None:
        account, say = self._current(), self.tongue.say
        if account is None or not self.permits(Role.OPERATOR):
            return
        if account.state == "set aside":
            self.dashboard.complain(say("This account is set aside already."))
            return
        told = Told(
            say("Set %(name)s aside", name=account.username),
            [
                say(
                    "What it is buying is finished, another order waits again; nobody signs it in until it is put back."
                ),
                say("To let it finish what it does and keep its session, pause it instead (p)."),
            ],
            aside_line(account.username),
        )
        self.app.push_screen(
            Reason(told, self.tongue),
            lambda why: self.do(lambda: self.dashboard.deeds.put_aside(account.username, why)) if why else None,
        )

    def action_test(self) -> None:
        account, say = self._current(), self.tongue.say
        if account is None or not self.permits(Role.OPERATOR):
            return
        if account.state == "set aside":
            self.dashboard.complain(
                say("It is set aside, so that nobody signs it in: put it back (U), or give it a new password (n).")
            )
            return
        told = Told(
            say("Test the sign-in of %(name)s", name=account.username),
            [
                say(
                    "The worker that holds it signs it in anew between two orders, once; a job in progress is finished first."
                ),
                say("A refused password sets it aside."),
            ],
            test_line(account.username),
        )
        self.app.push_screen(
            Confirm(told, self.tongue),
            lambda is_sure: self.do(lambda: self.dashboard.deeds.test(account.username)) if is_sure else None,
        )
