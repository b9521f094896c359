"""`registre site …`: what is known of the registry's site, and what to do when it has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from registre.cli.options import AuthorOption, JsonFlag
from registre.cli.output import moment, show_json, show_table, show_text
from registre.document import Source
from registre.errors import ErrorKind, InvalidInput, NotFound
from registre.forms import FormStanding, accepted_of, standing_of
from registre.operations import source_name
from registre.plain import plain_text
from registre.sentences import Sentence
from registre.settings import load_settings
from registre.wiring import open_store

app = typer.Typer(help="What is known of the registry's site: its forms and its sentences.", no_args_is_help=True)

SourceArgument = Annotated[str, typer.Argument(help="acte, index or plan_cadastraux (plan for short)")]

_CLASSES = (ErrorKind.NOT_FOUND, ErrorKind.INVALID_ORDER, ErrorKind.PAPER_ONLY, ErrorKind.LOT_INACTIVE)


@app.command("forms")
def list_forms(as_json: JsonFlag = False) -> None:
    """Show the form of each source: accepted since when and by whom, last seen, what has changed, and whether it is frozen."""
    with open_store(load_settings()) as store:
        known, closed = store.forms.known(), store.gates.closures()
    forms = [standing_of(source, known, closed) for source in Source]
    if as_json:
        show_json([asdict(form) for form in forms])
        return
    show_table("Forms", ("source", "accepted", "last seen", "state", "what has changed"),
               [(f.source, _acceptance(f), moment(f.last_seen), _state(f), f.difference or f.frozen or "")
                for f in forms])  # fmt: skip
    if any(f.drifted_since for f in forms):
        show_text(
            "A changed form: compare it with the site, mend the profile if need be, then `registre site accept SOURCE`."
        )


@app.command("accept")
def accept_form(source: SourceArgument, as_json: JsonFlag = False, *, author: AuthorOption) -> None:
    """Accept the changed form of a source, after a look at it: its orders go on."""
    known = source_of(source)
    with open_store(load_settings()) as store:
        changed = standing_of(known, store.forms.known(), ()).difference
        resumed = store.forms.accept(known, plain_text(author, "author", 100))
    if as_json:
        show_json({"source": known, "accepted": changed, "resumed": resumed})
        return
    show_text(f"The form of {known} is accepted as it is now: {changed}.")
    show_text(f"{known} is open again." if resumed else f"{known} was not frozen.")


@app.command("options")
def list_options(
    source: SourceArgument, field: Annotated[str, typer.Argument(help="A select's name, such as selCircnFoncr.")]
) -> None:
    """Print a select's options as last accepted: the JSON that `registre match --options` reads."""
    known = source_of(source)
    with open_store(load_settings()) as store:
        form = accepted_of(known, store.forms.known())
    if form is None:
        raise NotFound(f"No form of {known} was seen yet; `registre site check` looks at it.")
    options = form.contract.options(field)
    if options is None:
        there = ", ".join(form.contract.selects) or "none"
        raise InvalidInput("field", f"'{field[:40]}' is no select of the form of {known}; there are: {there}.")
    show_json([asdict(option) for option in options])


@app.command("sentences")
def list_sentences(
    review: Annotated[bool, typer.Option("--review", help="Only those whose class nobody knows.")] = False,
    frequent: Annotated[bool, typer.Option("--frequent", help="The most frequent first, not the last heard.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: JsonFlag = False,
) -> None:
    """List what the site said when it refused an order, a sign-in, or everybody."""
    with open_store(load_settings()) as store:
        found = store.sentences.all(review=review, frequent=frequent, limit=limit)
    if as_json:
        show_json([asdict(sentence) for sentence in found])
        return
    show_table("Sentences", ("times", "last heard", "of", "class", "the site's words", "last order"),
               [(s.count, moment(s.last_seen), s.source or "the site", f"{s.kind}{' ?' * s.needs_review}", s.text,
                 s.last_job or "") for s in found])  # fmt: skip
    _say_how_to_class(found)


def source_of(text: str) -> Source:
    return Source.PLAN if text == "plan" else source_name(text)


def _say_how_to_class(found: Sequence[Sentence]) -> None:
    unknown = next((s for s in found if s.needs_review), None)
    if unknown is None:
        return
    show_text(
        "Those marked ? are known to nobody. To class one, add to the site profile (REGISTRE_SITE_PROFILE names a copy"
    )
    show_text("of registre/site/foncier.toml), with as much of it as is always the same, and restart the workers:")
    show_text("")
    words = unknown.text.replace("\\", "\\\\").replace('"', '\\"')
    for line in ("[[sentences]]", f'fragment = "{words}"', f'kind = "{_CLASSES[0]}"   # or {", ".join(_CLASSES[1:])}'):
        show_text(line)


def _acceptance(form: FormStanding) -> str:
    if form.accepted_at is None:
        return "never seen"
    return f"{moment(form.accepted_at)} {'by ' + form.accepted_by if form.accepted_by else 'at first sight'}"


def _state(form: FormStanding) -> str:
    drifted = f"changed since {moment(form.drifted_since)}" if form.drifted_since else ""
    frozen = "frozen" if form.frozen else ""
    return ", ".join(filter(None, (drifted, frozen))) or ("as accepted" if form.accepted_at else "")
