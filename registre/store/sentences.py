"""The site's sentences over the gateway (sql/13_site)."""

from __future__ import annotations

from registre.database.gateway import Gateway
from registre.job import JobId
from registre.sentences import Heard, Sentence


class Sentences:
    """Implements `registre.ports.SentenceBook`. Thread-safe."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def note(self, heard: Heard, job_id: JobId | None) -> None:
        self._gateway.call(
            "note_sentence",
            text=heard.text,
            source=heard.source,
            kind=str(heard.kind),
            needs_review=heard.needs_review,
            job=job_id,
        )

    def all(self, *, review: bool = False, frequent: bool = False, limit: int = 100) -> list[Sentence]:
        return [
            Sentence(**{**row, "last_job": row["last_job"] and JobId(str(row["last_job"]))})
            for row in self._gateway.call("list_sentences", review=review, frequent=frequent, limit=limit)
        ]
