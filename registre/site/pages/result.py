"""What a page is: the facts one look takes from it, and the pure decision over them.

Invariant: a page that cannot be told is UNKNOWN, a state of its own; an empty error cell, or a hidden one, is no error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from registre.document import Source, fold
from registre.errors import DataError, ErrorKind
from registre.site.profile import ResultProfile, SiteProfile

MAX_SENTENCE = 500
_NO_PAGE = "chrome-error:"
"""Where Chromium shows its own page for one that did not come."""

FACTS_SCRIPT = r"""
(ask) => {
  const clean = (text) => (text || '').replace(/\s+/g, ' ').trim();
  const seen = (element) => element.getClientRects().length > 0;
  const texts = (elements) => [...new Set([...elements].filter(seen).map((e) => clean(e.innerText)).filter(Boolean))];
  const boxes = [...document.querySelectorAll(ask.errorIcon)].map((icon) => icon.closest(ask.errorBox)).filter(Boolean);
  const present = {};
  for (const [name, selectors] of Object.entries(ask.selectors))
    present[name] = selectors.some((selector) => document.querySelector(selector) !== null);
  return {
    url: location.href,
    reading: document.readyState === 'loading',
    title: clean(document.title),
    lines: (document.body ? document.body.innerText : '').slice(0, 20000).split(/[\n\t]/).map(clean).filter(Boolean),
    errorCells: texts(document.querySelectorAll(ask.errorCells)),
    errorBoxes: texts(boxes),
    present,
    frames: [...document.querySelectorAll('frame, iframe')].map((frame) => [frame.name || '', frame.src || '']),
  };
}
"""


class PageKind(StrEnum):
    """Every page the program knows.

    FORM is a search form without an error; SERVER_ERROR is a bare 5xx; LOST is the browser's own page in place of one
    that did not come.
    """

    FORM = "form"
    FORM_ERROR = "form_error"
    SIMILAR_LIST = "similar_list"
    PLAN_LIST = "plan_list"
    CONFIRMATION = "confirmation"
    LOADING = "loading"
    VIEWER = "viewer"
    LOGIN = "login"
    IDENTITY_QUESTION = "identity_question"
    MAINTENANCE = "maintenance"
    CLOSED = "closed"
    SERVER_ERROR = "server_error"
    LOST = "lost"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What one look takes from the main document. Texts have single spaces, `text` is all `lines`; `present` names marks of
    the profile. While `reading` the rest of the page is still on its way.
    """

    url: str = ""
    reading: bool = False
    status: int | None = None
    title: str = ""
    text: str = ""
    lines: tuple[str, ...] = ()
    error_cells: tuple[str, ...] = ()
    error_boxes: tuple[str, ...] = ()
    present: frozenset[str] = frozenset()
    frames: tuple[tuple[str, str], ...] = field(default=())
    """(name, address) of each frame."""

    @property
    def sentence(self) -> str:
        """What the site says is wrong, verbatim; '' when nothing is."""
        return " ".join(self.error_cells or self.error_boxes)[:MAX_SENTENCE]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The page's kind, and the sentence that goes with it: the site's own, or the page's title."""

    kind: PageKind
    sentence: str = ""


def facts_question(profile: SiteProfile) -> dict[str, Any]:
    """The argument of FACTS_SCRIPT."""
    result, login = profile.result, profile.login
    return {
        "errorCells": ", ".join(result.error_cells),
        "errorBox": result.error_box,
        "errorIcon": result.error_icon,
        "selectors": {
            "form": [form.landmark for form in profile.forms.values()],
            "login": [login.password],
            "identity": list(login.identity_selectors),
            "confirm": list(result.confirm),
            "radio": [result.radio],
            "loading": list(result.loading_selectors),
        },
    }


def read_facts(answer: Mapping[str, Any], status: int | None) -> PageFacts:
    """The facts from what FACTS_SCRIPT returned."""
    return PageFacts(
        url=answer["url"],
        reading=answer["reading"],
        status=status,
        title=answer["title"],
        text=" ".join(answer["lines"]),
        lines=tuple(answer["lines"]),
        error_cells=tuple(answer["errorCells"]),
        error_boxes=tuple(answer["errorBoxes"]),
        present=frozenset(name for name, there in answer["present"].items() if there),
        frames=tuple((name, address) for name, address in answer["frames"]),
    )


def classify(facts: PageFacts, profile: SiteProfile) -> Verdict:
    """The page's kind. Marks proper to one page come before marks several pages share."""
    login, result = profile.login, profile.result
    if facts.url.startswith(_NO_PAGE):
        return Verdict(PageKind.LOST)
    words = _words(facts.text)
    away = _away(facts, words, result)
    if facts.status is not None and facts.status >= 500:
        return away or Verdict(PageKind.SERVER_ERROR, _headline(facts))
    if _is_viewer(facts, profile):
        return Verdict(PageKind.VIEWER)
    if "identity" in facts.present or _asks_identity(facts, words, profile):
        asked = next((line for line in facts.lines if _says(line, login.identity_texts)), "")
        return Verdict(PageKind.IDENTITY_QUESTION, facts.sentence or asked or _headline(facts))
    if "login" in facts.present:
        return Verdict(PageKind.LOGIN, facts.sentence)
    if result.plan_list_url in facts.url and "radio" in facts.present:
        return Verdict(PageKind.PLAN_LIST, facts.sentence)
    if _hold(words, result.similar_texts):
        return Verdict(PageKind.SIMILAR_LIST, facts.sentence)
    if result.confirmation_url in facts.url and "confirm" in facts.present:
        return Verdict(PageKind.CONFIRMATION, facts.sentence)
    if facts.sentence:
        return Verdict(PageKind.FORM_ERROR, facts.sentence)
    if "form" in facts.present:
        return Verdict(PageKind.FORM)
    if away:
        return away
    if "loading" in facts.present or _hold(words, result.loading_texts):
        return Verdict(PageKind.LOADING)
    if any(mark in facts.url for mark in login.url_marks):
        return Verdict(PageKind.LOGIN, facts.sentence)
    return Verdict(PageKind.UNKNOWN, _headline(facts))


def judge_sentence(sentence: str, profile: SiteProfile) -> DataError:
    """The site's sentence as the end of a job: verbatim, with its class; an unknown one is marked for review."""
    for known in profile.sentences:
        if _says(sentence, [known.fragment]):
            return DataError(known.kind, sentence, said=sentence)
    return DataError(ErrorKind.UNKNOWN_SENTENCE, sentence, needs_review=True, said=sentence)


def is_lot_inactive(facts: PageFacts, profile: SiteProfile, source: Source) -> bool:
    """True when a page of plans says, in its cell or beside its list, that the lot is inactive."""
    marks = [s.fragment for s in profile.sentences if s.kind is ErrorKind.LOT_INACTIVE]
    return source is Source.PLAN and _says(facts.text, marks)


def _is_viewer(facts: PageFacts, profile: SiteProfile) -> bool:
    viewer = profile.viewer
    names = {name for name, _ in facts.frames}
    document = viewer.document_frame in names or any(viewer.document_url in address for _, address in facts.frames)
    return viewer.menu_frame in names and document


def _away(facts: PageFacts, words: str, result: ResultProfile) -> Verdict | None:
    """The notice that nobody is served now, with the words that say so."""
    words += _words(facts.title)
    notices = ((PageKind.MAINTENANCE, result.maintenance_texts), (PageKind.CLOSED, result.closed_texts))
    for kind, marks in notices:
        if not _hold(words, marks):
            continue
        said = next((line for line in (*facts.lines, facts.text, facts.title) if _says(line, marks)), None)
        if said is not None:
            sentences = re.split(r"(?<=[.!?])\s+", said)
            return Verdict(kind, next((s for s in sentences if _says(s, marks)), said)[:MAX_SENTENCE])
    return None


def _asks_identity(facts: PageFacts, words: str, profile: SiteProfile) -> bool:
    on_login = any(mark in facts.url for mark in profile.login.url_marks)
    return on_login and _hold(words, profile.login.identity_texts)


def _says(text: str, fragments: Iterable[str]) -> bool:
    """Whole words, without case, accents, apostrophes or punctuation."""
    return _hold(_words(text), fragments)


def _hold(words: str, fragments: Iterable[str]) -> bool:
    """As `_says`, of a text whose words were made once: a page's are asked for many marks."""
    return any(_mark(fragment) in words for fragment in fragments)


def _words(text: str) -> str:
    return f" {fold(text)} "


@lru_cache(maxsize=512)
def _mark(fragment: str) -> str:
    return _words(fragment)


def _headline(facts: PageFacts) -> str:
    return (facts.text or facts.title)[:200]
