"""The three search forms: they reload when a select changes, and answer when their button was pressed.

Invariant: a reload empties the text input; only the name of the submit button among the fields makes a search.
"""

from __future__ import annotations

from collections.abc import Sequence

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery
from litestar.response import Redirect

from registre.document import Source, normalize_number
from registre.twin import paths
from registre.twin.core import Twin
from registre.twin.documents import ACTE_TYPES, Found, PlanList, Query, Refusal, SimilarList
from registre.twin.pages import redirect
from registre.twin.sessions import Session
from registre.twin.web import Fields, UsesFields, UsesSession, UsesTwin

_BUTTONS = {Source.INDEX: "btnSoumt", Source.PLAN: "btnSoumt", Source.ACTE: "btnRechr"}
_NUMBERS = {Source.INDEX: "txtNumrtLot", Source.PLAN: "txtNumrtLot", Source.ACTE: "txtNoReqst"}


def form_handlers(source: Source) -> Sequence[HTTPRouteHandler]:
    """The page of one source: GET opens it blank, or with `conserver` as it was left; POST reloads or searches."""

    @get(paths.FORMS[source])
    async def open_form(twin: UsesTwin, session: UsesSession, conserver: FromQuery[str] = "") -> Response[bytes]:
        return _form(twin, source, session.choices.get(source, {}) if conserver else {})

    @post(paths.FORMS[source], status_code=200)
    async def post_form(twin: UsesTwin, session: UsesSession, fields: UsesFields) -> Response[bytes] | Redirect:
        session.choices[source] = fields
        if _BUTTONS[source] not in fields:
            return _form(twin, source, {**fields, _NUMBERS[source]: ""})
        return _search(twin, session, source, fields)

    return (open_form, post_form)


def _search(twin: Twin, session: Session, source: Source, fields: Fields) -> Response[bytes] | Redirect:
    unknown = twin.faults.text("unknown_sentence", session.account)
    if unknown:
        return _form(twin, source, fields, unknown)
    answer = twin.registry.search(_query(twin, source, fields))
    match answer:
        case Refusal(sentence, boxed):
            if boxed:
                return twin.pages.page("message.html", sentence=sentence, source=source)
            return _form(twin, source, fields, sentence)
        case SimilarList(rows):
            demand = session.ask(source, answer)
            return twin.pages.page("similar_list.html", demand=demand, rows=rows, error="")
        case PlanList():
            demand = session.ask(source, answer)
            return redirect(paths.of_demand(paths.PLAN_LIST, demand.id))
        case Found(document):
            demand = session.ask(source, answer)
            demand.document = document
            page = paths.CONFIRMATION if document.needs_confirmation else paths.LOADING
            return redirect(paths.of_demand(page, demand.id))


def _query(twin: Twin, source: Source, fields: Fields) -> Query:
    number = normalize_number(fields.get(_NUMBERS[source], ""))
    catalogue = twin.registry.catalogue
    place = fields.get("selCircnFoncr", "")
    if source is Source.ACTE:
        acte_type = ACTE_TYPES.get(fields.get("selTypeDocmn", ""), "")
        return Query(source, number, catalogue.circonscription(place), acte_type=acte_type)
    cadastre = catalogue.cadastre(place, fields.get("selCadst", ""))
    chosen = fields.get("selDesgnSecnd", "")
    designations = cadastre.designations if cadastre else ()
    designation = next((d for i, d in enumerate(designations, 1) if f"{i:02d}" == chosen), "")
    return Query(source, number, catalogue.circonscription(place), cadastre, designation)


def _form(twin: Twin, source: Source, fields: Fields, error: str = "") -> Response[bytes]:
    """The form with these choices; a choice that the refilled list no longer offers falls back to the blank."""
    pages = twin.pages
    place = fields.get("selCircnFoncr", "")
    number = fields.get(_NUMBERS[source], "")
    if source is Source.ACTE:
        return pages.page(
            "form_acte.html",
            circonscriptions=pages.circonscriptions(place),
            types=pages.acte_types(fields.get("selTypeDocmn", "")),
            number=number,
            reloads=twin.config.acte_form_reloads or twin.faults.take("acte_form_reloads"),
            error=error,
        )
    cadastre = fields.get("selCadst", "")
    return pages.page(
        "form_lot.html",
        source=source,
        circonscriptions=pages.circonscriptions(place),
        cadastres=pages.cadastres(place, cadastre),
        designations=pages.designations(place, cadastre, fields.get("selDesgnSecnd", "")),
        number=number,
        error=error,
    )


HANDLERS = [handler for source in Source for handler in form_handlers(source)]
