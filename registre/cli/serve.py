"""`registre up` and `registre twin`: what runs until it is told to stop."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from registre.cli.api_beside import ApiBeside
from registre.cli.output import show_json, show_table, show_text
from registre.cli.starting import WaitFlag, stop_on_signals, store_when_there, when_there
from registre.cli.tui import FirstKey, logging_to, needs_terminal, passing_key, watch_until_left
from registre.errors import InvalidInput, Refused, Unavailable
from registre.log import configure
from registre.operations import first_key
from registre.secrecy import standing
from registre.settings import REAL_SITE, Settings, Where, load_settings
from registre.twin.config import TwinConfig, demo_accounts
from registre.twin.fault_orders import read_arguments
from registre.twin.faults import FAULTS, FaultKind
from registre.twin.places import Place
from registre.wiring import Store, open_registry

log = logging.getLogger(__name__)

TWIN_ACCOUNTS = 3
KNOWN_TWIN_ACCOUNTS = 100


def up(
    with_twin: Annotated[
        bool,
        typer.Option("--twin", help="Work on a local twin of the registry, with made-up accounts; nothing is real."),
    ] = False,
    with_api: Annotated[
        bool, typer.Option("--api/--no-api", help="Serve the HTTP API too, as `registre api` does.")
    ] = True,
    with_tasks: Annotated[
        bool,
        typer.Option(
            "--tasks/--no-tasks",
            help="Deliver, and send notices, in this process too; without, `registre tasks` does on this host.",
        ),
    ] = True,
    with_tui: Annotated[
        bool, typer.Option("--tui", help="Open the terminal dashboard on it; leaving that stops nothing.")
    ] = False,
    wait: WaitFlag = False,
) -> None:
    """Run this host's worker: sign in once per account, take orders as they come, until Ctrl-C."""
    if with_tui and not with_api:
        raise InvalidInput("tui", "the dashboard asks the API; leave --no-api out.")
    if with_tui:
        needs_terminal()
    settings = load_settings()
    configure(settings.log_level)
    stop = stop_on_signals()
    first = FirstKey(None)
    with ExitStack() as stack:
        stack.callback(first.say)  # also when something fails before the dashboard is left
        aside = stack.enter_context(logging_to(settings.home / "up.log")) if with_tui else None
        store = stack.enter_context(store_when_there(settings, stop, wait=wait))
        keep_worlds_apart(settings, store, with_twin)
        if with_tui and settings.where is Where.EMBEDDED and not settings.api_open:
            first.text = first_key(store.keys)  # else the API makes it, and says it in the log
        key = stack.enter_context(passing_key(store)) if with_tui else None
        beside = ApiBeside() if with_api else nullcontext()

        def watch(api: ApiBeside | None) -> None:
            if key is not None and aside is not None and api is not None:
                watch_until_left(api.address(), key, first, aside, stop)

        def work(settings: Settings) -> None:
            _work(settings, store, stop, beside, watch, with_tasks=with_tasks, wait=wait)

        if not with_twin:
            work(settings)
            return
        with running_twin(settings.home / "twin-ledger.jsonl") as base_url:
            if not store.accounts.all():
                store.gates.set_rule("pace_seconds", 0, "up --twin")  # the twin needs no courtesy
            for username, password in demo_accounts(TWIN_ACCOUNTS):
                store.accounts.add(username, password)
            typer.echo(f"twin of the registry at {base_url}", err=True)
            work(settings.model_copy(update={"base_url": base_url}))


def _work(
    settings: Settings,
    store: Store,
    stop: Event,
    beside: AbstractContextManager[ApiBeside | None],
    watch: Callable[[ApiBeside | None], None],
    *,
    with_tasks: bool,
    wait: bool,
) -> None:
    """`beside` is up from when the worker is until it has drained; `watch` is given it, or None without one."""
    from actors.fleet import Fleet  # where it is used: other commands must not wait for it

    with open_registry(settings, store.forms, say=lambda line: typer.echo(line, err=True)) as registry:

        def started() -> Fleet:
            fleet = Fleet(settings, store, registry, tasks_elsewhere=not with_tasks)
            fleet.start()
            return fleet

        fleet = when_there(started, stop, wait=wait)
        with beside as api:
            if not store.accounts.all():
                typer.echo("No account yet: add one with `registre accounts add`.", err=True)
            if sealed := standing(store.secrets, settings.vault).unreadable:
                typer.echo(f"not used here, REGISTRE_SECRET_KEY opens them not: {', '.join(sealed)}", err=True)
            typer.echo("ready; Ctrl-C to stop", err=True)
            try:
                watch(api)
                stop.wait()
            finally:
                typer.echo("stopping: what is being bought is finished, the rest is released", err=True)
                fleet.drain()


def twin(
    port: Annotated[int, typer.Option(help="Port on loopback; 0 takes a free one.", min=0, max=65535)] = 8600,
    accounts: Annotated[
        int, typer.Option(help="How many made-up accounts it knows.", min=1, max=KNOWN_TWIN_ACCOUNTS)
    ] = TWIN_ACCOUNTS,
    ledger: Annotated[Path | None, typer.Option(help="Keep the twin's own billing ledger in this file.")] = None,
    loading_seconds: Annotated[float, typer.Option(help="How long a viewer loads.", min=0, max=600)] = 0.3,
    idle_seconds: Annotated[
        float, typer.Option(help="After how long without a request a session ends.", min=0.1)
    ] = 1200,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=VALUE][,count=N][,account=CODE][,page=PAGE]",
            help="Start with this bad manner; may be repeated. --faults lists them.",
        ),
    ] = None,
    faults: Annotated[bool, typer.Option("--faults", help="List every bad manner, and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --faults: for programs.")] = False,
    stop_with_stdin: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run the twin of the registry's site alone, on loopback. Everything in it is made up."""
    from registre.twin.server import serve  # where it is used: other commands must not wait for it

    if faults:
        if as_json:
            show_json({"faults": {name: asdict(spec) for name, spec in FAULTS.items()}, "pages": list(Place)})
        else:
            _show_faults()
        return
    try:
        ordered = read_arguments(fault or [])
    except ValueError as error:
        raise InvalidInput("fault", f"{error}.") from None

    if ledger is not None:
        try:
            ledger.open("a").close()
        except OSError as error:
            raise InvalidInput("ledger", f"{ledger} cannot be written: {error.strerror}.") from None
    config = TwinConfig(
        accounts=dict(demo_accounts(accounts)),
        ledger_path=ledger,
        loading_seconds=loading_seconds,
        idle_seconds=idle_seconds,
        faults=ordered,
    )

    def announce(base_url: str) -> None:
        typer.echo(base_url)
        sys.stdout.flush()
        if not stop_with_stdin:
            user, password = demo_accounts(1)[0]
            typer.echo(f"sign in as {user} with {password} (made up); Ctrl-C to stop", err=True)

    serve(config, "127.0.0.1", port, announce, stop_with_stdin)


def _show_faults() -> None:
    """Every fault with its value, what may limit it, and what it does; then the pages."""
    rows = []
    for name, spec in FAULTS.items():
        value = {FaultKind.NUMBER: "NUMBER", FaultKind.TEXT: "TEXT", FaultKind.COUNT: ""}[spec.kind]
        if spec.default is not None:
            value = f"{value} ({spec.default if isinstance(spec.default, str) else format(spec.default, 'g')})"
        limits = {"count": spec.counted, "account": spec.account, "page": spec.places}
        rows.append([name, value, " ".join(limit for limit, there in limits.items() if there), spec.meaning])
    show_table("bad manners of the twin", ["fault", "value (default)", "limits", "what it does"], rows)
    show_text(f"pages: {' '.join(Place)}")


@contextmanager
def running_twin(ledger: Path, *, accounts: int = TWIN_ACCOUNTS) -> Iterator[str]:
    """A twin as a child process; gives its base URL. It ends with us, even if we are killed: its stdin closes.

    In a session of its own, so that a terminal's Ctrl-C leaves it up while the worker finishes what it is buying.
    """
    command = [sys.executable, "-m", "registre.cli", "twin", "--port", "0", "--stop-with-stdin",
               "--accounts", str(accounts), "--ledger", str(ledger)]  # fmt: skip
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            base_url = child.stdout.readline().strip()
            if not base_url:
                raise Unavailable("The twin did not start; its own message is above.")
            yield base_url
        finally:
            child.stdin.close()
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()


def keep_worlds_apart(settings: Settings, store: Store, with_twin: bool) -> None:
    """Real accounts never meet the twin, nor made-up ones the real site: a refused password sets an account aside."""
    made_up = {username for username, _ in demo_accounts(KNOWN_TWIN_ACCOUNTS)}
    known = {account.username for account in store.accounts.all()}
    if with_twin and (settings.where is not Where.EMBEDDED or settings.supabase is not None or known - made_up):
        raise Refused(
            "This database may hold real orders and accounts; run --twin with another REGISTRE_HOME, without DATABASE_URL and "
            "SUPABASE_URL."
        )
    if not with_twin and settings.base_url == REAL_SITE and known & made_up:
        raise Refused(
            "This database holds the twin's made-up accounts; use another REGISTRE_HOME for the real site, or run with --twin."
        )
