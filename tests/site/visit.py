"""One twin and two browsers on it, for the tests of the site's bad manners.

Invariant: a test names its fault, and finds none of another's; what a fault cost is read from the twin's own bill.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from registre.account import AccountId, Credentials
from registre.document import DocumentRequest, Source
from registre.errors import SiteError
from registre.inspection import inspect_pdf
from registre.site.registry import SiteRegistry
from registre.site.session import SiteSession
from registre.twin.config import demo_accounts
from registre.twin.ledger import LedgerLine
from registre.twin.server import TwinServer

QUEBEC = "Cadastre du Québec"
ACCOUNTS = demo_accounts(3)
INDEX = DocumentRequest(Source.INDEX, "2 784 195", "Montréal", QUEBEC)
OLD_LOT = DocumentRequest(Source.INDEX, "24A", "Gaspé", "Village de Gaspé", "Rang 1")
ACTE = DocumentRequest(Source.ACTE, "25 616 321", "Montréal", acte_type="Acte")
ACTE_OF_A_LIST = DocumentRequest(Source.ACTE, "12345678", "Québec", acte_type="Acte")
PLAN_OF_A_LIST = DocumentRequest(Source.PLAN, "3 456 789", "Montréal", QUEBEC)


@dataclass
class Visit:
    """`patient` waits as the product does; `hasty` gives up after seconds, for pages that never come."""

    twin: TwinServer
    patient: SiteRegistry
    hasty: SiteRegistry
    opened: list[SiteSession] = field(default_factory=list)

    def open(self, account: int = 0, *, hasty: bool = False, password: str | None = None) -> SiteSession:
        """A session of nobody yet: the site's cookies of earlier ones are forgotten."""
        (self.hasty if hasty else self.patient)._cookies.clear()
        return self._open(account, hasty, password)

    def _open(self, account: int, hasty: bool, password: str | None = None) -> SiteSession:
        registry = self.hasty if hasty else self.patient
        username, right = ACCOUNTS[account]
        credentials = Credentials(AccountId(f"account-{account}"), username, password or right)
        session = registry.open_session(credentials, lambda _: None)
        self.opened.append(session)
        return session

    def signed_in(self, account: int = 0, *, hasty: bool = False) -> SiteSession:
        """A session that takes up an earlier one, if that still lives, or types its password."""
        session = self._open(account, hasty)
        session.sign_in()
        return session

    def leave(self) -> None:
        """Close what was opened, and lift every fault."""
        self.twin.faults.clear()
        for session in self.opened:
            session.close()
        self.opened.clear()

    @property
    def bill(self) -> list[LedgerLine]:
        return self.twin.ledger()

    def refusal(self, work: Callable[[], object]) -> SiteError:
        """The error `work` ends in: one sentence."""
        with pytest.raises(SiteError) as raised:
            work()
        said = str(raised.value)
        assert "\n" not in said
        assert said.endswith((".", "!", "?")), f"no sentence: {said}"
        return raised.value

    def opens_anew(self, *, account: int = 0) -> None:
        """A fresh session fills a form."""
        self.signed_in(account).fill(INDEX)

    def proves_sound(self, folder: Path, *, account: int = 0) -> None:
        """A fresh session obtains a document, billed once."""
        before = len(self.bill)
        session = self.signed_in(account)
        self.obtain(session, INDEX, folder / "fresh.pdf")
        assert [line.hit for line in self.bill[before:]] == [1]

    def obtain(self, session: SiteSession, request: DocumentRequest, target: Path) -> None:
        session.fill(request)
        session.submit(request)
        session.save(target)
        inspect_pdf(target, request)
