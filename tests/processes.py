"""The processes that belong to one home: started for it, whatever became of their parents."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import psutil


def environment(home: Path, **more: str) -> Mapping[str, str]:
    """For a child process: this home and nothing else of ours, so that no setting of the machine leaks into a test."""
    ours = ("REGISTRE_", "REGISTRY_", "DATABASE_URL", "PG_BIN", "SUPABASE_")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(ours) or name == "REGISTRE_CHROMIUM"
    }
    return {**kept, "REGISTRE_HOME": str(home), "REGISTRE_API_PORT": "0", "TERM": "dumb", **more}


def processes_of(home: Path) -> list[str]:
    """What lives for this home: it names it on its command line, or inherited it in its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            command = process.cmdline()
            if any(str(home) in part for part in command) or process.environ().get("REGISTRE_HOME") == str(home):
                found.append(f"{process.pid} {' '.join(command)[:100]}")
        except psutil.Error:
            continue
    return found
