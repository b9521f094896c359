"""A log never shows a secret, however it got into the text."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from registre.log import configure, mask


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("registre", "actors")}
    yield root
    root.handlers, root.level = handlers, level
    for name, was in levels.items():
        logging.getLogger(name).setLevel(was)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://me:sesame@db:5432/registre", "postgresql://me:***@db:5432/registre"),
        ("postgresql://me:ses@me@db/registre", "postgresql://me:***@db/registre"),
        ("redis://:sesame@broker/0", "redis://:***@broker/0"),
        ("password=sesame host=db", "password=*** host=db"),
        ("Password: sesame", "Password: ***"),
        ('{"password": "sesame open", "user": "me"}', '{"password": ***, "user": "me"}'),
        ("motPasse='sesame'", "motPasse=***"),
        ("Authorization: Bearer sesame.sesame", "Authorization: Bearer ***"),
        ("api_key=sesame", "api_key=***"),
        ("https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("index 2 784 195 (Montréal)", "index 2 784 195 (Montréal)"),
    ],
)
def test_secrets_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_a_secret_is_masked_in_arguments_and_in_tracebacks(root: logging.Logger) -> None:
    configure("INFO")
    heard = io.StringIO()
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(heard)
    try:
        raise ValueError("postgresql://me:sesame@db/registre does not answer")
    except ValueError:
        logging.getLogger("registre.somewhere").exception("trouble with %s", "password=sesame")
    assert "sesame" not in heard.getvalue()
    assert "ValueError" in heard.getvalue()


def test_our_own_voice_is_heard_and_libraries_only_when_they_warn(root: logging.Logger) -> None:
    configure("INFO")
    configure("INFO")
    [handler] = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    heard = io.StringIO()
    handler.setStream(heard)
    logging.getLogger("registre.x").info("ours")
    logging.getLogger("actors.x").info("theirs too")
    logging.getLogger("playwright").info("chatter")
    logging.getLogger("playwright").warning("careful")
    assert [line.split(": ", 1)[1] for line in heard.getvalue().splitlines()] == ["ours", "theirs too", "careful"]
