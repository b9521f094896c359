"""The registry accounts: who they are and how they stand. A password goes in and never comes out.

Invariant: no answer, event or log of this module holds a password, not even a wrong one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from litestar import Response, Router, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from api.desk import AnyRequest, UsesStore, caller_of, serves
from api.schemas import Asked, Cents, Wire
from registre.access import Role
from registre.account import AccountView, SignInOutcome
from registre.budget import CostBy, CostLine
from registre.errors import NotFound, Refused
from registre.gates import Scope
from registre.job import WorkerView
from registre.language import TORONTO
from registre.operations import pause_reason, usable_password, user_code
from registre.wiring import Store

NEVER = datetime.min.replace(tzinfo=UTC)


class SignInTest(Wire):
    """The last test of its sign-in. Until `began_at` is set no worker has taken it up; `outcome` is null until it ended.

    `unreachable` says nothing of the account. `seconds` is what the sign-in took, null when none was made.
    """

    asked_at: datetime
    asked_by: str
    began_at: datetime | None
    ended_at: datetime | None
    outcome: SignInOutcome | None
    message: str | None
    seconds: float | None


class Account(Wire):
    """`state` is free, signed in, set aside, paused or inactive; `reason` says why it is set aside or paused.

    Of its worker: `work` is idle, busy, error or offline, null without one; `since` is when that began, or when an idle session
    was last kept alive. Of today, in America/Toronto: its documents and what they cost, those of an unknown end included.
    """

    username: str
    state: str
    reason: str | None
    until: datetime | None
    lease_owner: str | None
    last_used: datetime | None
    failure_count: int
    worker_id: str | None
    work: str | None
    since: datetime | None
    current_job_id: str | None
    step: str | None
    documents_today: int
    cost_today_cents: Cents
    test: SignInTest | None


class Accounts(Wire):
    accounts: tuple[Account, ...]


class NewAccount(Asked):
    """A known account is given a new password, which also ends its being set aside; at work, it signs in anew with it."""

    username: Annotated[str, Meta(description="Code d'utilisateur.", examples=["99X9999"], max_length=20)]
    password: Annotated[str, Meta(max_length=200, description="Kept for signing in; told by nothing.")]

    def __repr__(self) -> str:
        return f"NewAccount({self.username!r})"


class Reason(Asked):
    """Shown to everybody who looks at the account, or whose order waits for it."""

    reason: Annotated[str, Meta(max_length=200, examples=["the invoice is being checked"])]


@get("/", summary="List accounts", **serves(Role.VIEWER))
def list_accounts(store: UsesStore) -> Accounts:
    return Accounts(accounts=all_accounts(store))


@post("/", summary="Add an account, or give one a new password", **serves(Role.ADMIN, 400))
def add_account(data: JSONBody[NewAccount], request: AnyRequest, store: UsesStore) -> Response[Account]:
    """201 for a new one, 200 for a known one."""
    code = user_code(data.username)
    _, is_new = store.accounts.add(code, usable_password(data.password, "send one"), caller_of(request).name)
    return Response(_one(store, code), status_code=201 if is_new else 200)


@post(
    "/{username:str}/pause",
    status_code=200,
    summary="Start no more orders with an account",
    **serves(Role.OPERATOR, 400, 404),
)
def pause_account(username: FromPath[str], data: JSONBody[Reason], request: AnyRequest, store: UsesStore) -> Account:
    """What it is doing is finished."""
    code = _one(store, username).username
    store.gates.pause(Scope.ACCOUNT, code, caller_of(request).name, pause_reason(data.reason))
    return _one(store, code)


@post("/{username:str}/resume", status_code=200, summary="Let an account work again", **serves(Role.OPERATOR, 404))
def resume_account(username: FromPath[str], request: AnyRequest, store: UsesStore) -> Account:
    code = _one(store, username).username
    store.gates.resume(Scope.ACCOUNT, code, caller_of(request).name)
    return _one(store, code)


@post(
    "/{username:str}/restore",
    status_code=200,
    summary="Put an account back into service",
    **serves(Role.OPERATOR, 404, 409),
)
def restore_account(username: FromPath[str], request: AnyRequest, store: UsesStore) -> Account:
    """One that was set aside, when what its reason says is mended. A refused password is mended by giving another one."""
    code = _one(store, username).username
    if not store.accounts.restore(code, caller_of(request).name):
        raise Refused("This account is not set aside.")
    return _one(store, code)


@post(
    "/{username:str}/set-aside",
    status_code=200,
    summary="Take an account out of service",
    **serves(Role.OPERATOR, 400, 404, 409),
)
def put_account_aside(
    username: FromPath[str], data: JSONBody[Reason], request: AnyRequest, store: UsesStore
) -> Account:
    """Its host lets it go within seconds: what is being bought is finished, an order that is not waits again without an attempt.
    Until it is restored, or given a new password, nobody signs it in."""
    code = _one(store, username).username
    store.accounts.put_aside(code, pause_reason(data.reason), caller_of(request).name)
    return _one(store, code)


@post(
    "/{username:str}/test",
    status_code=202,
    summary="Test the sign-in of an account",
    **serves(Role.OPERATOR, 404, 409),
)
def ask_test(username: FromPath[str], request: AnyRequest, store: UsesStore) -> Account:
    """The worker that holds it, or that is the next to, signs it in anew between two orders, and `test` then says how that went.

    Refused (409) for an account that is set aside: a refused password is not tried a second time.
    """
    code = _one(store, username).username
    store.accounts.ask_test(code, caller_of(request).name)
    return _one(store, code)


def all_accounts(store: Store) -> tuple[Account, ...]:
    paused = {pause.name: pause.reason for pause in store.gates.pauses() if pause.scope is Scope.ACCOUNT}
    # Of several workers that an account ever had, the one that was heard of last.
    heard = sorted(store.views.workers(), key=lambda worker: worker.last_heartbeat or NEVER)
    workers = {worker.account: worker for worker in heard}
    day = datetime.now(TORONTO).date()
    costs = {line.key: line for line in store.treasury.costs(day, day, CostBy.ACCOUNT)}
    return tuple(
        _account(view, paused.get(view.username), workers.get(view.username), costs.get(view.username))
        for view in store.accounts.all()
    )


def _one(store: Store, username: str) -> Account:
    for account in all_accounts(store):
        if account.username == username:
            return account
    raise NotFound("No account has this name.")


def _account(view: AccountView, paused: str | None, worker: WorkerView | None, cost: CostLine | None) -> Account:
    at_work = view.state in ("free", "signed in")
    return Account(
        username=view.username,
        state="paused" if paused is not None and at_work else view.state,
        reason=paused if paused is not None and at_work else view.reason,
        until=view.until,
        lease_owner=view.lease_owner,
        last_used=view.last_used,
        failure_count=view.failure_count,
        worker_id=worker.worker_id if worker else None,
        work=worker.status if worker else None,
        since=worker.last_heartbeat if worker else None,
        current_job_id=worker.job_id if worker is not None and worker.status == "busy" else None,
        step=worker.step if worker else None,
        documents_today=cost.documents + cost.ambiguous if cost else 0,
        cost_today_cents=cost.documents_cents + cost.ambiguous_cents if cost else 0,
        test=_test(view),
    )


def _test(view: AccountView) -> SignInTest | None:
    if view.test is None:
        return None
    return SignInTest(**{name: getattr(view.test, name) for name in SignInTest.__struct_fields__})


ROUTER = Router(
    "/api/accounts",
    route_handlers=[
        list_accounts,
        add_account,
        pause_account,
        resume_account,
        put_account_aside,
        restore_account,
        ask_test,
    ],
    request_max_body_size=10_000,
    tags=["accounts"],
)
