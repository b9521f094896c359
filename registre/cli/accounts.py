"""`registre accounts …`: the registry accounts. A password is read from a prompt or from stdin, never from the command line."""

from __future__ import annotations

import getpass
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from registre.account import AccountView, SignInOutcome, SignInTest
from registre.cli.options import AuthorOption, JsonFlag
from registre.cli.output import clock, moment, show_json, show_table, show_text
from registre.errors import InvalidInput, Refused, Unavailable
from registre.following import EventFollower
from registre.idleness import LearntLimit
from registre.operations import pause_reason, usable_password, user_code
from registre.plain import plain_text
from registre.secrecy import Resealed, encrypt, rotate
from registre.settings import load_settings
from registre.vault import make_key
from registre.wiring import Store, open_store

EXIT_PARTLY = 3
EXIT_OF = {SignInOutcome.OK: 0, SignInOutcome.REFUSED: 1, SignInOutcome.UNREACHABLE: 75}

UsernameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Code d'utilisateur, such as 99X9999.")]

app = typer.Typer(help="The registry accounts, one live session each.", no_args_is_help=True)


@app.command("add")
def add_account(
    username: Annotated[str, typer.Argument(help="Code d'utilisateur, such as 99X9999.")],
) -> None:
    """Add an account, or give a known one a new password. The password is asked for, or read from stdin."""
    code = user_code(username)
    password = getpass.getpass("Mot de passe: ") if sys.stdin.isatty() else _line_of_stdin()
    usable_password(password, "type it at the prompt or send it on stdin")
    with open_store(load_settings()) as store:
        _, created = store.accounts.add(code, password, "the command line")
    typer.echo(f"{code} is {'added' if created else 'updated'}.")


def _line_of_stdin() -> str:
    """The first line, whatever encoding this process was started with."""
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise InvalidInput("password", "what came on stdin is not UTF-8 text.") from None


@app.command("key")
def show_key() -> None:
    """Print a new key for REGISTRE_SECRET_KEY. Nothing keeps it: lost, the passwords sealed with it have to be given anew."""
    typer.echo(make_key())


@app.command("encrypt")
def encrypt_secrets(as_json: JsonFlag = False) -> None:
    """Seal what is stored plain: passwords of accounts, secrets of webhooks. Needs REGISTRE_SECRET_KEY, on every host."""
    settings = load_settings()
    with open_store(settings) as store:
        _tell(encrypt(store.secrets, settings.vault), as_json)


@app.command("rotate")
def rotate_secrets(as_json: JsonFlag = False) -> None:
    """Seal everything anew with the first key of REGISTRE_SECRET_KEY; the former one must be there too, after it."""
    settings = load_settings()
    with open_store(settings) as store:
        _tell(rotate(store.secrets, settings.vault), as_json)


def _tell(outcome: Resealed, as_json: bool) -> None:
    """Exit 3 when some could not be sealed."""
    if as_json:
        show_json(asdict(outcome))
    else:
        show_text(f"{outcome.done} sealed")
        for name, why in outcome.kept.items():
            show_text(f"{name}: {why}")
    if outcome.kept:
        raise typer.Exit(EXIT_PARTLY)


@app.command("test")
def ask_test(
    username: UsernameArgument,
    wait: Annotated[
        int, typer.Option(metavar="SECONDS", help="How long to wait for it; 0 asks and leaves.", min=0, max=3600)
    ] = 120,
    as_json: JsonFlag = False,
    *,
    author: AuthorOption,
) -> None:
    """Have a worker sign an account in anew, between two orders, and say how that went. Refused for one that is set aside.

    Exit 0: it works; 1: the site refused it, and the account is set aside; 75: nobody could try it now.
    """
    with open_store(load_settings()) as store:
        code = _called(store, username)
        reader = EventFollower(store.views, store.views.events_end(), bell=store.queue)
        try:
            store.accounts.ask_test(code, plain_text(author, "author", 100))
            found = _until_tested(store, reader, code, wait)
        finally:
            reader.stop()
    if as_json:
        show_json(asdict(found))
    elif found.outcome is None:
        show_text(f"{code}: {_tested(found)}")
    if found.outcome is None:
        if wait:
            raise Unavailable("No worker has signed it in yet; `registre accounts list` shows the outcome.")
        return
    if not as_json:
        took = f" in {found.seconds:.1f} s" if found.seconds is not None else ""
        show_text(f"{code}: {found.outcome}{took}" + (f": {found.message}" if found.message else ""))
    raise typer.Exit(EXIT_OF[found.outcome])


def _called(store: Store, name: str) -> str:
    """The account's own spelling: other programs may have added some that are no codes of the registry's."""
    wanted = name.strip().casefold()
    return next((a.username for a in store.accounts.all() if a.username.casefold() == wanted), name.strip())


def _until_tested(store: Store, reader: EventFollower, code: str, seconds: float) -> SignInTest:
    """The test as it stands once it has ended, or after so long."""
    until = time.monotonic() + seconds
    while True:
        test = next(account.test for account in store.accounts.all() if account.username == code)
        assert test is not None
        if test.outcome is not None or time.monotonic() >= until:
            return test
        reader.next(until - time.monotonic())


@app.command("set-aside")
def set_aside(
    username: UsernameArgument,
    reason: Annotated[str, typer.Option(help="Why; shown to everybody who looks at it.")] = "",
    *,
    author: AuthorOption,
) -> None:
    """Take an account out of service on every host: what it is buying is finished, another order waits again."""
    why = pause_reason(reason)
    with open_store(load_settings()) as store:
        code = _called(store, username)
        store.accounts.put_aside(code, why, plain_text(author, "author", 100))
    show_text(f"{code} is set aside.")


@app.command("restore")
def restore(username: UsernameArgument, *, author: AuthorOption) -> None:
    """Put an account back into service, its password as it was; after a refused password give a new one instead."""
    with open_store(load_settings()) as store:
        code = _called(store, username)
        if not store.accounts.restore(code, plain_text(author, "author", 100)):
            raise Refused("This account is not set aside.")
    show_text(f"{code} is in service again.")


@app.command("list")
def list_accounts(as_json: JsonFlag = False) -> None:
    """List accounts and what each is doing."""
    settings = load_settings()
    key_ids = settings.vault.key_ids
    with open_store(settings) as store:
        accounts, learnt = store.accounts.all(), store.idleness.learnt()
    if as_json:
        show_json([asdict(account) for account in accounts])
        return
    show_table(
        f"{len(accounts)} accounts",
        ("account", "state", "held by", "last used", "failures", "password", "sign-in test", "why"),
        [
            (
                a.username,
                a.state,
                a.lease_owner or "",
                clock(a.last_used),
                a.failure_count,
                _kept(a, key_ids),
                _tested(a.test),
                a.reason or "",
            )
            for a in accounts
        ],
    )
    show_text(_told(learnt))


@app.command("idle-limit")
def idle_limit(as_json: JsonFlag = False) -> None:
    """Show how long a session may idle on the registry's site, as far as all hosts have seen."""
    with open_store(load_settings()) as store:
        learnt = store.idleness.learnt()
    if as_json:
        show_json(
            {
                "learnt_seconds": learnt.limit.total_seconds() if learnt.limit else None,
                "learnt_at": learnt.learnt_at,
                "longest_survived_seconds": learnt.survived.total_seconds(),
            }
        )
    else:
        show_text(_told(learnt))


def _kept(account: AccountView, key_ids: tuple[str, ...]) -> str:
    if account.sealed_with is None:
        return "plain"
    return "sealed" if account.sealed_with in key_ids else f"sealed with {account.sealed_with}, which is not here"


def _tested(test: SignInTest | None) -> str:
    if test is None:
        return ""
    if test.outcome is not None:
        return f"{test.outcome} {clock(test.ended_at)}"
    return f"signing in since {clock(test.began_at)}" if test.began_at else f"asked for {clock(test.asked_at)}"


def _told(learnt: LearntLimit) -> str:
    survived = f"; a session has lived through {_minutes(learnt.survived)}" if learnt.survived else ""
    if learnt.limit is None:
        return f"idle limit: that of the site's profile, nothing else was learnt{survived}"
    return f"idle limit: {_minutes(learnt.limit)}, learnt {moment(learnt.learnt_at)}{survived}"


def _minutes(time: timedelta) -> str:
    """`17 min 30 s`"""
    minutes, seconds = divmod(round(time.total_seconds()), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
