"""The command line that does the same as a key.

Invariant: each line is one that `registre` takes as it stands, on the worker's host or wherever its database is reached.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def pause_line(scope: str, name: str) -> str:
    return _line("pause", scope, name) + " --reason WHY"


def resume_line(scope: str, name: str) -> str:
    return _line("resume", scope, name)


def jobs_line(verb: str, ids: Sequence[str]) -> str:
    """For one; for several, a loop of the shell."""
    if len(ids) == 1:
        return _line("jobs", verb, ids[0])
    shown = " ".join(ids[:3]) + (" ..." if len(ids) > 3 else "")
    return f"for id in {shown}; do registre jobs {verb} $id; done"


def settle_line(decision: str, extraction_id: str, *, billed: bool) -> str:
    return _line("jobs", decision, extraction_id) + ("" if billed else " --not-billed")


def batch_line(verb: str, batch_id: str) -> str:
    return _line("batches", verb, batch_id)


def add_account_line(username: str = "99X9999") -> str:
    return _line("accounts", "add", username)


def test_line(username: str) -> str:
    return _line("accounts", "test", username)


def aside_line(username: str) -> str:
    return _line("accounts", "set-aside", username) + " --reason WHY"


def restore_line(username: str) -> str:
    return _line("accounts", "restore", username)


def _line(*words: str) -> str:
    return "registre " + " ".join(shlex.quote(word) for word in words if word)
