"""`registre supervisord`: the configuration that keeps a host's programs up, for the settings of now.

Invariant: a program that is told to stop gets longer for it than it may take; one whose configuration must be mended stays down,
with its sentence in its log.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated
from urllib.parse import urlsplit

import typer

from registre.errors import ConfigurationError
from registre.serving import is_loopback
from registre.settings import Settings, load_settings

STOP_MARGIN_SECONDS = 60
"""Beyond the drain: browsers close, and what is in the spool is delivered."""
REDIS_SERVERS = ("redis-server", "valkey-server")
REDIS_PORT = 6379


def supervisord(
    with_redis: Annotated[
        bool, typer.Option("--with-redis", help="Keep up a Redis too, of this host alone, at REGISTRE_BROKER_URL.")
    ] = False,
) -> None:
    """Print a configuration for supervisord: worker and API, and with REGISTRE_BROKER_URL the tasks apart. Makes the folder of
    their logs."""
    settings = load_settings()
    registre = Path(sys.argv[0]).resolve()
    if registre.name != "registre":
        registre = Path(sys.executable).with_name("registre")
    redis = _redis(settings) if with_redis else ""
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
            tasks_apart=settings.broker_url is not None,
            redis=redis,
        ),
        nl=False,
    )


def rendered(
    *,
    registre: str,
    directory: str,
    home: str,
    stop_seconds: int,
    environment: str,
    tasks_apart: bool = False,
    redis: str = "",
) -> str:
    """The configuration's text. `directory` is where `.env` is read, `redis` the part about a Redis, if there is to be one."""
    known = {"registre": registre, "directory": directory, "home": home, "stop_seconds": stop_seconds}
    return _filled(
        "supervisord.conf.template",
        **known,
        environment=environment,
        and_tasks=", its tasks" if tasks_apart else "",
        no_tasks=" --no-tasks" if tasks_apart else "",
        tasks=_filled("supervisord.tasks.template", **known) if tasks_apart else "",
        redis=redis,
    )


def _redis(settings: Settings) -> str:
    """The part about a Redis. It has no password, which its command line would show; hence on loopback alone."""
    url = urlsplit(settings.broker_url.get_secret_value() if settings.broker_url else "")
    if url.scheme != "redis" or url.password or not is_loopback(url.hostname or ""):
        raise ConfigurationError(
            "--with-redis is for a REGISTRE_BROKER_URL on this machine and without a password, such as redis://127.0.0.1:6379/0."
        )
    server = next(filter(None, map(shutil.which, REDIS_SERVERS)), None)
    if server is None:
        raise ConfigurationError(
            f"There is no {' or '.join(REDIS_SERVERS)} here: install one (apt-get install redis-server)."
        )
    return _filled(
        "supervisord.redis.template",
        server=server,
        bind=url.hostname,
        port=url.port or REDIS_PORT,
        home=settings.home,
    )


def _filled(template: str, **values: object) -> str:
    return Template((files("registre.cli") / template).read_text("utf-8")).substitute(values)


def _environment() -> str:
    """Only the home: settings, and secrets above all, belong into `.env`, which only its owner reads."""
    home = os.environ.get("REGISTRE_HOME")
    return f'environment=REGISTRE_HOME="{home}"\n' if home else ""
