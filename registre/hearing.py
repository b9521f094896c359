"""Keeps what the site said, for whoever classes its sentences.

Invariant: best effort; whatever becomes of it, the attempt or the sign-in it belongs to ends as it would have.
"""

from __future__ import annotations

import logging

from registre.job import JobId
from registre.ports import SentenceBook
from registre.sentences import heard

log = logging.getLogger(__name__)


def keep_words(book: SentenceBook, error: Exception, source: str = "", job_id: JobId | None = None) -> None:
    """Note the site's words of this error, if it said any. Never raises."""
    words = heard(error, source)
    if words is None:
        return
    try:
        book.note(words, job_id)
    except Exception as failed:  # a list for people is no reason to lose the end of a job
        log.warning("a sentence of the site was not kept: %s", failed)
