"""`registre keys …`: who may use the HTTP API. A key is printed once, when it is made, and kept nowhere."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from registre.access import Role, make_key
from registre.cli.options import AuthorOption, JsonFlag
from registre.cli.output import moment, show_json, show_table, show_text
from registre.operations import key_name, key_prefix, role_name
from registre.plain import plain_text
from registre.settings import load_settings
from registre.wiring import open_store

app = typer.Typer(help="The keys of the HTTP API.", no_args_is_help=True)


@app.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="Whose it is; kept as the author of what is done with it.")],
    role: Annotated[
        str, typer.Option(help=", ".join(Role) + ": each may do what those before it may.")
    ] = Role.REQUESTER,
    as_json: JsonFlag = False,
    *,
    author: AuthorOption,
) -> None:
    """Make a key. Its text is on stdout, alone, and is never shown again."""
    covers, known, key = role_name(role), key_name(name), make_key()
    with open_store(load_settings()) as store:
        store.keys.add(key, known, covers, plain_text(author, "author", 100))
    if as_json:
        show_json({"prefix": key.prefix, "name": known, "role": role, "key": key.text})
    else:
        typer.echo(key.text)


@app.command("list")
def list_keys(as_json: JsonFlag = False) -> None:
    """List the keys by their prefixes, revoked ones included."""
    with open_store(load_settings()) as store:
        keys = store.keys.all()
    if as_json:
        show_json([asdict(key) for key in keys])
        return
    show_table(
        f"{len(keys)} keys",
        ("prefix", "name", "role", "made by", "made", "last used", "revoked"),
        [
            (k.prefix, k.name, k.role, k.author, moment(k.created_at), moment(k.last_used_at),
             f"{moment(k.revoked_at)} by {k.revoked_by}" if k.revoked_at else "")
            for k in keys
        ],
    )  # fmt: skip


@app.command("revoke")
def revoke_key(
    prefix: Annotated[str, typer.Argument(help="The eight characters between registre_ and the next _.")],
    *,
    author: AuthorOption,
) -> None:
    """End a key. Whoever holds it is refused within two seconds."""
    known = key_prefix(prefix, "`registre keys list`")
    with open_store(load_settings()) as store:
        store.keys.revoke(known, plain_text(author, "author", 100))
    show_text(f"{prefix} is revoked.")
