"""What is known of the registry's site, loaded from `foncier.toml` or from a file named in its place.

Invariant: paths, names, captions, marks, sentences and budgets are data here and stand nowhere in the code; a profile
that loads is complete, and one that does not says which key to mend.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from registre.document import Source
from registre.errors import ConfigurationError, ErrorKind

DEFAULT_BASE_URL = "https://www.registrefoncier.gouv.qc.ca/Sirf/"

Text = Annotated[str, Field(min_length=1)]
Texts = tuple[Text, ...]
SomeTexts = Annotated[Texts, Field(min_length=1)]


class Reload(StrEnum):
    """Whether choosing an option of a select submits the form and brings a new page."""

    ALWAYS = "always"
    MAYBE = "maybe"
    NEVER = "never"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Budgets(_Part):
    """Seconds each thing may take before it counts as failed."""

    operation: PositiveFloat
    login: PositiveFloat
    fill: PositiveFloat
    viewer: PositiveFloat
    download: PositiveFloat
    evidence: PositiveFloat
    open: PositiveFloat
    probe: PositiveFloat
    sign_out: PositiveFloat
    start: PositiveFloat
    close: PositiveFloat
    admission: PositiveFloat


class BrowserProfile(_Part):
    """How Chromium is started, what it adds to every request, and whom it may ask."""

    arguments: Texts
    headers: Mapping[str, str]
    other_hosts: tuple[Annotated[str, Field(pattern=r"^(\*\.)?[A-Za-z0-9.-]{1,253}$")], ...] = ()
    """Beside the registry's own; `*.` stands for every name below one."""


class SessionProfile(_Part):
    """How long a session, a page, a context and a browser are used, and how a session ends."""

    idle_limit: PositiveFloat
    jobs_per_page: PositiveInt
    jobs_per_context: PositiveInt
    context_age: PositiveFloat
    cell_memory: PositiveInt
    sign_out: SomeTexts
    signed_out_texts: SomeTexts


class LoginProfile(_Part):
    path: Text
    url_marks: SomeTexts
    through_entry: bool
    entry_path: str
    entry_link: Text
    username: Text
    password: Text
    submit: SomeTexts
    locked_texts: Texts
    identity_selectors: Texts
    identity_texts: Texts
    notice_continue: Texts


class FormProfile(_Part):
    """One search form. A select the form does not have is None."""

    path: Text
    landmark: Text
    circonscription: Text
    cadastre: Text | None = None
    designation: Text | None = None
    acte_type: Text | None = None
    number: Text
    submit: SomeTexts
    circonscription_reloads: Reload
    cadastre_reloads: Reload


class ResultProfile(_Part):
    error_cells: SomeTexts
    error_box: Text
    error_icon: Text
    plan_list_url: Text
    confirmation_url: Text
    confirm: SomeTexts
    similar_texts: SomeTexts
    paper_only_image: Text
    radio: Text
    list_submit: SomeTexts
    number_headers: Texts
    type_headers: Texts
    loading_texts: Texts
    loading_selectors: Texts
    maintenance_texts: Texts
    closed_texts: Texts


class ViewerProfile(_Part):
    menu_frame: Text
    document_frame: Text
    document_url: Text
    save_links: SomeTexts


class Sentence(_Part):
    """A fragment of what the site says, and the class of the job's end it stands for."""

    fragment: Text
    kind: ErrorKind

    @field_validator("kind")
    @classmethod
    def _a_data_error(cls, kind: ErrorKind) -> ErrorKind:
        if kind not in _SAID_BY_THE_SITE:
            raise ValueError(f"'{kind}' is not an end the site can give; one of {', '.join(sorted(_SAID_BY_THE_SITE))}")
        return kind


_SAID_BY_THE_SITE = frozenset(
    {
        ErrorKind.NOT_FOUND,
        ErrorKind.ONLY_SIMILAR,
        ErrorKind.PAPER_ONLY,
        ErrorKind.LOT_INACTIVE,
        ErrorKind.INVALID_ORDER,
        ErrorKind.UNKNOWN_SENTENCE,
    }
)


class SiteProfile(_Part):
    """The whole profile; immutable."""

    version: Text
    locale: Text
    timezone: Text
    blank_values: tuple[str, ...]
    renovated_cadastre: Text
    renovated_cadastre_names: Texts
    browser: BrowserProfile
    budgets: Budgets
    session: SessionProfile
    login: LoginProfile
    forms: Mapping[Source, FormProfile]
    result: ResultProfile
    viewer: ViewerProfile
    sentences: tuple[Sentence, ...]

    @model_validator(mode="after")
    def _every_source_has_a_form(self) -> SiteProfile:
        for source in Source:
            form = self.forms.get(source)
            if form is None:
                raise ValueError(f"forms.{source} is missing")
            wanted = "acte_type" if source is Source.ACTE else "cadastre"
            if getattr(form, wanted) is None:
                raise ValueError(f"forms.{source}.{wanted} is missing")
        return self


def load_profile(path: Path | None = None) -> SiteProfile:
    """The profile of the file, or the one that came with the program. ConfigurationError naming the key to mend."""
    where = str(path) if path else "foncier.toml"
    try:
        text = (
            path.read_text(encoding="utf-8")
            if path
            else files("registre.site").joinpath("foncier.toml").read_text("utf-8")
        )
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The site profile {where} cannot be read: {error}.") from error
    return parse_profile(text, where)


def parse_profile(text: str, where: str = "the site profile") -> SiteProfile:
    """The profile this TOML text holds; `where` names it in the error's sentence."""
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"The site profile {where} is not TOML: {error}.") from error
    try:
        return SiteProfile.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "the profile"
        raise ConfigurationError(f"The site profile {where} must be mended: {key}: {first['msg']}.") from error
