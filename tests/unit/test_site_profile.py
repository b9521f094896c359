"""The site profile: complete and valid, or refused with the key to mend."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Error as PlaywrightError

from registre.document import Source
from registre.errors import BrowserFailed, ConfigurationError
from registre.site.profile import Reload, load_profile, parse_profile
from registre.site.translate import as_ours, first_line, network_error

TEXT = files("registre.site").joinpath("foncier.toml").read_text("utf-8")


def test_the_profile_that_comes_with_the_program_has_a_form_for_each_source() -> None:
    profile = load_profile()
    assert set(profile.forms) == set(Source)
    assert profile.forms[Source.ACTE].circonscription_reloads is Reload.MAYBE
    assert profile.budgets.viewer == 180


def test_a_profile_elsewhere_takes_its_place(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(TEXT.replace("viewer = 180", "viewer = 60"), encoding="utf-8")
    assert load_profile(own).budgets.viewer == 60


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("viewer = 180", "viewer = 0", "budgets.viewer"),
        ("viewer = 180", 'viewer = "long"', "budgets.viewer"),
        ('kind = "paper_only"', 'kind = "browser_failed"', "sentences"),
        ("[forms.acte]", "[forms.actes]", "forms"),
        ('circonscription_reloads = "maybe"', 'circonscription_reloads = "perhaps"', "circonscription_reloads"),
        ("through_entry = false", "through_enter = false", "login.through_ent"),
        ("acte_type = 'select[name=\"selTypeDocmn\"], select#selTypeDocmn'", "", "acte_type"),
    ],
)
def test_a_bad_profile_names_the_key_to_mend(old: str, new: str, key: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigurationError, match=key):
        parse_profile(TEXT.replace(old, new), "own.toml")


def test_a_profile_that_is_not_toml_or_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not TOML"):
        parse_profile("= broken")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_profile(tmp_path / "missing.toml")


def test_a_foreign_error_keeps_its_first_line_only() -> None:
    error = RuntimeError('Page.fill: Timeout\nCall log:\n  - fill("secret")')
    assert first_line(error) == "Page.fill: Timeout"
    assert (
        network_error(RuntimeError("Page.goto: net::ERR_CONNECTION_RESET at http://x/")) == "net::ERR_CONNECTION_RESET"
    )
    assert network_error(error) is None


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError("gone")])
def test_every_foreign_error_becomes_ours(error: Exception) -> None:
    assert isinstance(as_ours(error, "filling the form"), BrowserFailed)
    assert "while filling the form" in str(as_ours(error, "filling the form"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Page.query_selector: Target page, context or browser has been closed",
            "The browser was lost or closed while saving the document.",
        ),
        ("Page.click: Target crashed", "The browser was lost or closed while saving the document."),
        (
            "ElementHandle.click: Element is not visible",
            "The browser failed while saving the document: Element is not visible.",
        ),
    ],
)
def test_a_clerk_reads_nothing_of_the_browsers_calls(said: str, told: str) -> None:
    assert str(as_ours(PlaywrightError(said), "saving the document")) == told


def test_no_connection_is_used_twice_because_chromium_repeats_requests_on_used_ones() -> None:
    browser = load_profile().browser
    assert browser.headers["Connection"] == "close"
    assert {"--disable-http2", "--disable-quic"} <= set(browser.arguments), "HTTP/2 knows no Connection: close"
