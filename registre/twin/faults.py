"""The twin's bad manners, by name: what can be ordered from it.

Invariant: a fault that is not set changes nothing. A new one is a line of `FAULTS` and one look-up where it bites.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

LOT_SELECTS = ("selCircnFoncr", "selCadst", "selDesgnSecnd")
SELECTS = (*LOT_SELECTS, "selTypeDocmn")
FIELDS = (
    *SELECTS, "txtNumrtLot", "txtNoReqst", "btnSoumt", "btnRechr", "btnConfr", "txtVaCodeUtils", "txtMotPasse",
)  # fmt: skip
UNKNOWN_SENTENCE = "La demande ne peut être traitée : motif 4471-B."


class FaultKind(StrEnum):
    """The shape of a fault's value: a number of 0 or more, nothing but whether and how often it bites, or a text."""

    NUMBER = "number"
    COUNT = "count"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """What a fault does, for those who order it, and what its order may be limited to.

    `places`: to one page kind, `account`: to one account, `counted`: to so many bites. `default` is the value of an
    order that gives none; `choices` are the only texts allowed, if any.
    """

    kind: FaultKind
    meaning: str
    places: bool = False
    account: bool = True
    counted: bool = True
    default: float | str | None = None
    choices: tuple[str, ...] = ()


def _page(meaning: str) -> FaultSpec:
    return FaultSpec(FaultKind.COUNT, meaning, places=True)


def _once(meaning: str) -> FaultSpec:
    return FaultSpec(FaultKind.COUNT, meaning)


def _layout(meaning: str, default: str, choices: tuple[str, ...] = ()) -> FaultSpec:
    return FaultSpec(FaultKind.TEXT, meaning, account=False, counted=False, default=default, choices=choices)


FAULTS: Mapping[str, FaultSpec] = {
    # the site, or the network in front of it
    "latency_ms": FaultSpec(FaultKind.NUMBER, "a page waits this long before it is answered", places=True),
    "status_5xx": _page("a page answers 503 with a bare server error"),
    "maintenance": _page("a page is the maintenance notice, with status 200"),
    "closed": _page("a page is the notice that the site is closed at this hour, with status 200"),
    "hang": _page("a page is made (and billed, if it is the viewer) and never answered"),
    "reset": _page("a page is made (and billed, if it is the viewer), then its connection is reset before any byte"),
    "cut": _page("a page's connection ends in the middle of its body"),
    "keep_connections": FaultSpec(
        FaultKind.COUNT, "a connection stays open although the browser wants it closed", account=False, counted=False
    ),
    # the session and the account
    "expire_session": _page("a protected page finds its session expired, and it is"),
    "refuse_login": _once("a login is refused, right or wrong"),
    "lock_after": FaultSpec(
        FaultKind.NUMBER, "an account is locked after so many refusals in a row", counted=False, default=3.0
    ),
    "identity_question": _once("a right login is answered by an identity question"),
    "notice": _once("a notice stands between a login and every page, until it is read"),
    # the layout
    "renamed_field": _layout("this form field has another name and id", "txtNumrtLot", FIELDS),
    "moved_field": _layout("this form field stands last in its form", "selCircnFoncr", FIELDS),
    "options_added": _layout("every option of this select has a near twin before it", "selCircnFoncr", SELECTS),
    "options_removed": _layout("no select offers the option of this label", "Montréal"),
    "options_recoded": _layout("the options of this select have other values", "selCircnFoncr", SELECTS),
    "quebec_label": FaultSpec(
        FaultKind.TEXT, "000001 has this label, not Cadastre du Québec", account=False, counted=False, default="Québec"
    ),
    "acte_form_reloads": FaultSpec(
        FaultKind.COUNT, "the acte form reloads when its circonscription is chosen", account=False, counted=False
    ),
    "windows_1252": FaultSpec(FaultKind.COUNT, "pages and forms are windows-1252", account=False, counted=False),
    # the answer, the viewer and the document
    "unknown_sentence": FaultSpec(
        FaultKind.TEXT, "a search is refused by this sentence in td.contValErr", default=UNKNOWN_SENTENCE
    ),
    "loading_seconds": FaultSpec(FaultKind.NUMBER, "the loading page of a document lasts this long"),
    "no_save_link": _once("a viewer's menu has no save link"),
    "no_download": _once("a download never answers"),
    "truncate_pdf": _once("a download holds the first half of the file only"),
    "html_for_pdf": _once("a download is answered by the login page, with status 200"),
    "html_file": _once("a download is a file that holds the login page"),
    "other_document": _once("a download is another document's PDF"),
}
