"""What a request is after: the places where a fault can be told to bite.

Invariant: every page of the twin is exactly one place, by its method, its path and, on a form, by the button pressed.
"""

from __future__ import annotations

from collections.abc import Container
from enum import StrEnum

from registre.twin import paths


class Place(StrEnum):
    """`form` opens a form, `reload` is a choice that reloads it, `search` its submission; `choose_…` take a row of a list."""

    ENTRY = "entry"
    LOGIN = "login"
    SIGN_IN = "sign_in"
    NOTICE = "notice"
    MENU = "menu"
    SIGN_OUT = "sign_out"
    FORM = "form"
    RELOAD = "reload"
    SEARCH = "search"
    CHOOSE_ACTE = "choose_acte"
    PLAN_LIST = "plan_list"
    CHOOSE_PLAN = "choose_plan"
    CONFIRMATION = "confirmation"
    CONFIRM = "confirm"
    LOADING = "loading"
    VIEWER = "viewer"
    VIEWER_MENU = "viewer_menu"
    VIEWER_PAGE = "viewer_page"
    SAVE = "save"
    IMAGE = "image"


SEARCH_BUTTONS = ("btnSoumt", "btnRechr")

_PLACES = {
    ("GET", paths.ROOT): Place.ENTRY,
    ("GET", paths.LOGIN): Place.LOGIN,
    ("POST", paths.LOGIN): Place.SIGN_IN,
    ("POST", paths.NOTICE): Place.NOTICE,
    ("GET", paths.MENU): Place.MENU,
    ("GET", paths.SIGN_OUT): Place.SIGN_OUT,
    **{("GET", form): Place.FORM for form in paths.FORMS.values()},
    ("POST", paths.SIMILAR_LIST): Place.CHOOSE_ACTE,
    ("GET", paths.PLAN_LIST): Place.PLAN_LIST,
    ("POST", paths.PLAN_LIST): Place.CHOOSE_PLAN,
    ("GET", paths.CONFIRMATION): Place.CONFIRMATION,
    ("POST", paths.CONFIRMATION): Place.CONFIRM,
    ("GET", paths.LOADING): Place.LOADING,
    ("GET", paths.VIEWER): Place.VIEWER,
    ("GET", paths.VIEWER_MENU): Place.VIEWER_MENU,
    ("GET", paths.VIEWER_PAGE): Place.VIEWER_PAGE,
    ("GET", paths.SAVE): Place.SAVE,
    ("GET", paths.SAVE_PLAIN): Place.SAVE,
}


def place_of(method: str, path: str, fields: Container[str] = ()) -> Place:
    """The place of a request; `fields` are the names posted."""
    if method == "POST" and path in paths.FORMS.values():
        return Place.SEARCH if any(button in fields for button in SEARCH_BUTTONS) else Place.RELOAD
    return _PLACES.get((method, path.rstrip("/")), Place.IMAGE)
