"""`registre supervisord`: the configuration that keeps a host's programs up, for the settings of now.

Invariant: a program that is told to stop gets longer for it than it may take; one whose configuration must be mended stays down,
with its sentence in its log.
"""

from __future__ import annotations

import os
import sys
from importlib.resources import files
from pathlib import Path
from string import Template

import typer

from registre.errors import ConfigurationError
from registre.settings import load_settings

STOP_MARGIN_SECONDS = 60
"""Beyond the drain: browsers close, and what is in the spool is delivered."""


def supervisord() -> None:
    """Print a configuration for supervisord: worker and API, with the settings of now. Makes the folder of their logs."""
    settings = load_settings()
    registre = Path(sys.argv[0]).resolve()
    if registre.name != "registre":
        registre = Path(sys.executable).with_name("registre")
    for path in (registre, settings.home):
        if any(sign in str(path) for sign in "%;\n\"'"):
            raise ConfigurationError(
                f"{path} cannot be written into a configuration of supervisord: it holds one of % ; \" '."
            )
    try:  # supervisord does not begin without it
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (settings.home / "log").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"REGISTRE_HOME ({settings.home}) cannot be written: {error.strerror}.") from None
    typer.echo(
        rendered(
            registre=str(registre),
            directory=str(Path.cwd()),
            home=str(settings.home),
            stop_seconds=int(settings.drain_seconds) + STOP_MARGIN_SECONDS,
            environment=_environment(),
        ),
        nl=False,
    )


def rendered(*, registre: str, directory: str, home: str, stop_seconds: int, environment: str) -> str:
    """The configuration's text. `directory` is where `.env` is read."""
    text = (files("registre.cli") / "supervisord.conf.template").read_text("utf-8")
    return Template(text).substitute(
        registre=registre, directory=directory, home=home, stop_seconds=stop_seconds, environment=environment
    )


def _environment() -> str:
    """Only the home: settings, and secrets above all, belong into `.env`, which only its owner reads."""
    home = os.environ.get("REGISTRE_HOME")
    return f'environment=REGISTRE_HOME="{home}"\n' if home else ""
