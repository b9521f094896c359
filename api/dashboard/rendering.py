"""A page: its template, the language it is read in, who reads it, and the headers that keep it harmless.

Invariant: everything shown is escaped by the template; a page runs no script and takes no style but its own files.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response

from api.access import SESSION_COOKIE
from api.dashboard import words
from api.dashboard.words import Word
from api.desk import AnyRequest, caller_of
from registre import language as speech
from registre.access import Role, form_token
from registre.alerts import advice, sentence
from registre.language import Language
from registre.reasons import reason

LANGUAGE_COOKIE = "registre_language"
LOCALE = files("api") / "locale"
STATIC = files("api") / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def page(request: AnyRequest, template: str, *, status: int = 200, live: bool = False, **more: Any) -> Response[str]:
    """The page of `template`. One that is `live` renews itself as things happen."""
    language = language_of(request)
    caller = request.scope.get("user")
    role = caller_of(request).role if caller is not None else None
    session = request.cookies.get(SESSION_COOKIE, "")
    written = environment(language).get_template(f"dashboard/{template}")
    text = str(
        written.render(
            caller=caller,
            can=lambda needed: role is not None and role.covers(Role(needed)),
            language=language,
            token=form_token(session) if session else "",
            here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            told=words.TOLD.get(request.query_params.get("told", "")),
            told_count=_count(request.query_params.get("n", "")),
            live=live,
            **more,
        )
    )
    return Response(text, status_code=status, media_type="text/html", headers=HEADERS)


def language_of(request: AnyRequest) -> Language:
    """The one that was chosen, else the first of the browser's that is known, else French."""
    asked = [request.cookies.get(LANGUAGE_COOKIE, ""), *request.headers.get("accept-language", "").split(",")]
    for one in asked:
        word = one.strip()[:2].lower()
        if word in set(Language):
            return Language(word)
    return Language.FRENCH


@cache
def catalogue(language: Language) -> NullTranslations:
    return speech.translations(language, LOCALE)


@cache
def environment(language: Language) -> Environment:
    """Templates in one language. Made once: compiling them takes longer than answering."""
    made = Environment(
        loader=PackageLoader("api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    spoken = catalogue(language)
    made.install_gettext_translations(spoken, newstyle=True)  # type: ignore[attr-defined]  # the extension's own
    made.filters.update(
        money=lambda cents: speech.money(cents, language),
        number=lambda value: speech.number(value, language),
        instant=lambda at: speech.instant(at, language) if at else "",
        clock=lambda at: speech.clock(at, language) if at else "",
        duration=lambda seconds: "" if seconds is None else speech.duration(seconds),
        since=lambda at: speech.duration(max(0.0, (datetime.now(at.tzinfo) - at).total_seconds())) if at else "",
        reason=lambda text: reason(text, language),
        alarm=lambda alert: sentence(alert.kind, alert.subject, alert.facts, language),
        advice=lambda alert: advice(alert.kind, alert.subject, language),
        said=lambda text, known: spoken.gettext(known[text]) if text in known else text,
        query=lambda fields: urlencode({name: value for name, value in fields.items() if value not in (None, "")}),
        segment=lambda text: quote(str(text), safe=""),
    )
    made.globals.update(
        words=words,
        static=static_address,
        word=lambda known, key: known.get(key, Word("·", key, "off")),
    )
    return made


@cache
def static_address(name: str) -> str:
    """The address of one of our own files; it changes with its content, so that browsers may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
