"""Somebody who reads the twin's pages over HTTP, without a browser."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Self
from urllib.parse import urljoin

import httpx

from registre.document import Source
from registre.twin import paths
from registre.twin.catalogue import load_catalogue
from registre.twin.config import demo_accounts
from registre.twin.documents import ACTE_TYPES
from registre.twin.ledger import LedgerLine
from registre.twin.server import TwinServer

ACCOUNTS = demo_accounts(2)
TITLE_LINK = 'title="Sauvegarder ou imprimer le document"'


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Visitor:
    """A browser without a window: keeps the cookie, follows redirects, knows how the forms are filled."""

    def __init__(self, server: TwinServer) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{server.port}", follow_redirects=True, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def login(self, account: str = ACCOUNTS[0][0], password: str = ACCOUNTS[0][1]) -> httpx.Response:
        fields = {"txtBoutn": "btnSoumt", "txtEtat": "valdr", "txtInAfichQuestIdentPersn": "N"}
        return self.post(paths.LOGIN, txtVaCodeUtils=account, txtMotPasse=password, **fields)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.http.post(path, data=fields)

    def lot(
        self, source: Source, number: str, place: str, cadastre: str = "000001", designation: str = ""
    ) -> httpx.Response:
        code = load_catalogue().named(place).code if place else "NULL"
        fields = {"selCircnFoncr": code, "selCadst": cadastre, "txtNumrtLot": number, "btnSoumt": "Soumettre"}
        if designation:
            options = load_catalogue().named(place).cadastre(cadastre)
            assert options is not None
            fields["selDesgnSecnd"] = f"{options.designations.index(designation) + 1:02d}"
        return self.post(paths.FORMS[source], **fields)

    def index(self, number: str, place: str, cadastre: str = "000001", designation: str = "") -> httpx.Response:
        return self.lot(Source.INDEX, number, place, cadastre, designation)

    def plan(self, number: str, place: str) -> httpx.Response:
        return self.lot(Source.PLAN, number, place)

    def acte(self, number: str, place: str, acte_type: str = "Acte") -> httpx.Response:
        value = next(v for v, name in ACTE_TYPES.items() if name == acte_type)
        fields = {"selCircnFoncr": load_catalogue().named(place).code, "selTypeDocmn": value}
        return self.post(paths.FORMS[Source.ACTE], **fields, txtNoReqst=number, btnRechr="Rechercher")

    def submit(self, page: httpx.Response, **fields: str) -> httpx.Response:
        """Submit the only form of a page, with its hidden fields."""
        action = re.search(r'<form [^>]*action="([^"]+)"', page.text)
        assert action
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        return self.post(urljoin(str(page.url), html.unescape(action[1])), **hidden, **fields)

    def frame(self, viewer: httpx.Response, name: str) -> httpx.Response:
        source = re.search(rf'<frame name="{name}" src="([^"]+)"', viewer.text)
        assert source, viewer.url
        return self.get(html.unescape(source[1]))

    def save(self, viewer: httpx.Response) -> httpx.Response:
        menu = self.frame(viewer, "menu").text
        link = re.search(r'(/Sirf/[^"]+(?:impri_sauvg|telch)[^"]+)', menu)
        assert link
        return self.get(html.unescape(link[1]))


def is_login(page: httpx.Response) -> bool:
    return "pf_14_06_01_reglr" in str(page.url) and "txtMotPasse" in page.text


def is_viewer(page: httpx.Response) -> bool:
    return page.status_code == 200 and "<frameset" in page.text


def error_of(page: httpx.Response) -> str:
    """The text of `td.contValErr`, or '-' where the cell is absent."""
    cell = re.search(r'<td class="contValErr"[^>]*>([^<]*)</td>', page.text)
    return html.unescape(cell[1]) if cell else "-"


def boxed_of(page: httpx.Response) -> str:
    box = re.search(r'<table class="Cadre".*?image_message\.gif.*?<td>([^<]*)</td>', page.text, re.DOTALL)
    return html.unescape(box[1]) if box else "-"


def options_of(page: httpx.Response, select: str) -> dict[str, str]:
    body = re.search(rf'<select name="{select}".*?</select>', page.text, re.DOTALL)
    if not body:
        return {}
    found = re.findall(r'<option value="([^"]*)"( selected)?>([^<]*)</option>', body[0])
    return {value: html.unescape(label) for value, _, label in found}


def selected_of(page: httpx.Response, select: str) -> list[str]:
    body = re.search(rf'<select name="{select}".*?</select>', page.text, re.DOTALL)
    return re.findall(r'<option value="([^"]*)" selected>', body[0]) if body else []


def bought(line: LedgerLine) -> tuple[str, str, str, str]:
    return line.source, line.number_normalized, line.circonscription, line.acte_type


def rows_of(page: httpx.Response) -> list[tuple[str, str, bool]]:
    """Number, type and paper mark of each row of a similar list."""
    rows = re.findall(r'<tr><td><input type="radio".*?</tr>', page.text, re.DOTALL)
    found = []
    for row in rows:
        cells = re.findall(r"<td>(.*?)</td>", row, re.DOTALL)
        number = html.unescape(cells[1]).replace("\N{NO-BREAK SPACE}", "")
        found.append((number, html.unescape(cells[2]).strip(), "BPD.GIF" in row))
    return found
