"""The ports `KeyRing` and `Repeatable` in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from registre.access import SESSION, KeyView, KnownKey, NewKey, Role
from registre.batch import NewBatch
from registre.errors import NotFound, OtherRequest, Refused
from registre.job import Order
from registre.repeats import KEPT, Once, Outcome
from tests.memory.batches import submit_batch
from tests.memory.queue import put_in
from tests.memory.state import KeyRow, RequestRow, State


class MemoryKeys:
    """Implements `registre.ports.KeyRing`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, key: NewKey, name: str, role: Role, author: str, *, only_first: bool = False) -> bool:
        state = self._state
        with state.transaction() as now:
            if only_first and state.keys:
                return False
            state.keys[key.prefix] = KeyRow(KeyView(key.prefix, name, role, author, now, None, None, None), key.digest)
            state.tell("key.added", None, now, prefix=key.prefix, name=name, role=str(role), author=author)
            return True

    def all(self) -> list[KeyView]:
        with self._state.transaction():
            return sorted((row.view for row in self._state.keys.values()), key=lambda key: (key.created_at, key.prefix))

    def find(self, prefix: str) -> KnownKey | None:
        with self._state.transaction():
            row = self._state.keys.get(prefix)
            if row is None:
                return None
            return KnownKey(prefix, row.digest, row.view.name, row.view.role, row.view.revoked_at is not None)

    def note_use(self, prefix: str) -> None:
        with self._state.transaction() as now:
            row = self._state.keys.get(prefix)
            if row is not None:
                row.view = replace(row.view, last_used_at=now)

    def revoke(self, prefix: str, author: str) -> None:
        with self._state.transaction() as now:
            row = self._state.keys.get(prefix)
            if row is None:
                raise NotFound("No key has this prefix.")
            if row.view.revoked_at is not None:
                raise Refused("This key is revoked already.")
            row.view = replace(row.view, revoked_at=now, revoked_by=author)
            self._state.tell("key.revoked", None, now, prefix=prefix, author=author)

    def open_session(self, session: str, prefix: str) -> None:
        with self._state.transaction() as now:
            self._state.web_sessions[session] = prefix, now + SESSION

    def find_session(self, session: str) -> KnownKey | None:
        with self._state.transaction() as now:
            prefix, until = self._state.web_sessions.get(session, ("", now))
        return self.find(prefix) if until > now else None

    def close_session(self, session: str) -> None:
        with self._state.transaction():
            self._state.web_sessions.pop(session, None)


class MemoryRequests:
    """Implements `registre.ports.Repeatable`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def recall(self, once: Once) -> Outcome | None:
        with self._state.transaction():
            known = self._known(once)
            return known.told() if known is not None else None

    def submit(self, once: Once, orders: Sequence[Order]) -> Outcome:
        state = self._state
        with state.transaction() as now:
            known = self._known(once)
            if known is None:
                outcome = Outcome(tuple(put_in(state, orders, now)), None, repeated=False, answer=None)
                known = state.requests[once.sender, once.key] = RequestRow(once.request_hash, now, outcome)
            return known.told()

    def submit_batch(self, once: Once, batch: NewBatch, orders: Sequence[Order]) -> Outcome:
        state = self._state
        with state.transaction() as now:
            known = self._known(once)
            if known is None:
                outcome = Outcome((), submit_batch(state, batch, orders, now).id, repeated=False, answer=None)
                known = state.requests[once.sender, once.key] = RequestRow(once.request_hash, now, outcome)
            return known.told()

    def keep_answer(self, once: Once, answer: dict[str, Any]) -> None:
        with self._state.transaction():
            row = self._state.requests[once.sender, once.key]
            if row.outcome.answer is None:
                row.outcome = replace(row.outcome, answer=answer)

    def _known(self, once: Once) -> RequestRow | None:
        row = self._state.requests.get((once.sender, once.key))
        if row is None or row.at + KEPT < self._state.clock():
            return None
        if row.request_hash != once.request_hash:
            raise OtherRequest("This Idempotency-Key was given before, to another request.")
        return row
