"""The ports `FormBook` and `SentenceBook` in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from registre.document import Source
from registre.errors import Refused
from registre.forms import FormContract, SeenForm, difference
from registre.job import JobId
from registre.sentences import MOST_SENTENCES, Heard, Sentence, key_of
from tests.memory.state import JOBS_CHANNEL, State

MOST_DRIFTED = 20
NOTED_EVERY = timedelta(hours=1)


class MemoryForms:
    """Implements `registre.ports.FormBook`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def observe(self, source: Source, contract: FormContract) -> str:
        state, key = self._state, (source, contract.fingerprint)
        with state.transaction() as now:
            seen, counting = state.forms.get(key), self._accepted(source)
            if seen is not None and seen.accepted_at is not None:
                if seen.last_seen <= now - NOTED_EVERY:
                    state.forms[key] = replace(seen, last_seen=now)
                return ""
            if counting is None:
                state.forms[key] = SeenForm(source, contract, now, now, now, None)
                state.tell("form.accepted", None, now, source=str(source), fingerprint=key[1], author=None)
                return ""
            changed = difference(counting.contract, contract)
            first_seen = now if seen is None else seen.first_seen
            state.forms[key] = SeenForm(source, contract, first_seen, now, None, None)
            if seen is None:
                for old in self._drifted(source)[MOST_DRIFTED:]:
                    del state.forms[source, old.contract.fingerprint]
                state.tell(
                    "form.drifted", None, now, source=str(source), fingerprint=contract.fingerprint, difference=changed
                )
            if str(source) not in state.frozen:
                state.frozen[str(source)] = changed
                state.tell("source.frozen", None, now, source=str(source), reason=changed)
            return changed

    def known(self) -> list[SeenForm]:
        with self._state.transaction():
            return [
                form
                for source in sorted({source for source, _ in self._state.forms}, key=str)
                for form in (self._accepted(source), *self._drifted(source)[:1])
                if form is not None
            ]

    def accept(self, source: Source, author: str) -> bool:
        state = self._state
        with state.transaction() as now:
            drifted = self._drifted(source)
            if not drifted:
                raise Refused(
                    f"Nothing drifted: the form of {source} was last seen as it is accepted."
                    if self._accepted(source)
                    else f"No form of {source} was seen yet; the first one is accepted by itself."
                )
            for form in drifted:
                del state.forms[source, form.contract.fingerprint]
            right = replace(drifted[0], accepted_at=now, accepted_by=author)
            state.forms[source, right.contract.fingerprint] = right
            state.tell(
                "form.accepted", None, now, source=str(source), fingerprint=right.contract.fingerprint, author=author
            )
            was_frozen = state.frozen.pop(str(source), None) is not None
            if was_frozen:
                state.tell("gate.resumed", None, now, scope="source", name=str(source), author=author)
                state.ring(JOBS_CHANNEL)
            return was_frozen

    def _accepted(self, source: Source) -> SeenForm | None:
        accepted = [f for (of, _), f in self._state.forms.items() if of == source and f.accepted_at is not None]
        accepted.sort(key=lambda form: form.contract.fingerprint)
        return max(accepted, key=_counted_from, default=None)

    def _drifted(self, source: Source) -> list[SeenForm]:
        """The last seen first."""
        drifted = [f for (of, _), f in self._state.forms.items() if of == source and f.accepted_at is None]
        drifted.sort(key=lambda form: form.contract.fingerprint)
        return sorted(drifted, key=lambda form: form.last_seen, reverse=True)


def _counted_from(form: SeenForm) -> datetime:
    return max(form.last_seen, form.accepted_at or form.last_seen)


def is_settled(state: State, source: str, since: datetime | None) -> bool:
    """A person has accepted the source's form after `since`."""
    return since is not None and any(
        form.accepted_by is not None and form.accepted_at is not None and form.accepted_at >= since
        for (of, _), form in state.forms.items()
        if of == source
    )


class MemorySentences:
    """Implements `registre.ports.SentenceBook`. Thread-safe."""

    def __init__(self, state: State) -> None:
        self._state = state

    def note(self, heard: Heard, job_id: JobId | None) -> None:
        rows, key = self._state.sentences, (heard.source, key_of(heard.text))
        with self._state.transaction() as now:
            old = rows.get(key)
            rows[key] = Sentence(
                text=heard.text if old is None else old.text,
                source=heard.source,
                kind=str(heard.kind),
                needs_review=heard.needs_review,
                count=1 if old is None else old.count + 1,
                first_seen=now if old is None else old.first_seen,
                last_seen=now,
                last_job=job_id or (None if old is None else old.last_job),
            )
            for stale in sorted(rows, key=lambda k: (-rows[k].last_seen.timestamp(), k))[MOST_SENTENCES:]:
                del rows[stale]

    def all(self, *, review: bool = False, frequent: bool = False, limit: int = 100) -> list[Sentence]:
        with self._state.transaction():
            rows = self._state.sentences
            wanted = [key for key in sorted(rows) if rows[key].needs_review or not review]
            wanted.sort(key=lambda key: rows[key].last_seen, reverse=True)
            if frequent:
                wanted.sort(key=lambda key: rows[key].count, reverse=True)
            return [rows[key] for key in wanted[:limit]]
