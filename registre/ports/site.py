"""What the core asks of the registry's site: a session of one account, and who opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from registre.account import Credentials
from registre.document import DocumentRequest
from registre.idleness import IdleEnd
from registre.matching import Option


class Step(StrEnum):
    """Where an attempt stands; shown to people, stored in no state machine."""

    SIGNING_IN = "signing in"
    FORM = "filling the form"
    SUBMITTING = "submitting"
    CHOOSING = "choosing from a list"
    CONFIRMING = "confirming"
    WAITING_VIEWER = "waiting for the viewer"
    SAVING = "saving the document"
    SECURING = "securing the document"


@dataclass(frozen=True, slots=True)
class FilledForm:
    """The form as read back from the page just before its submission; a field the form does not have is None."""

    number: str
    circonscription: Option | None
    cadastre: Option | None
    designation: Option | None
    acte_type: Option | None


@dataclass(frozen=True, slots=True)
class ViewerReached:
    """The viewer is open, so the document is billed. `notes` are facts for the requester, such as an inactive lot."""

    notes: tuple[str, ...] = ()


class RegistrySession(Protocol):
    """One account's session on the registry's site, in one browser context.

    Calls block and come from one thread at a time; `interrupt` may come from any thread. After any error but DataError the
    caller closes the session and opens another. Errors: the SiteError tree, and Aborted after `interrupt`.
    """

    def sign_in(self) -> None:
        """Sign in and prove it: the index form opens. AccountError when refused; never a second try by itself."""

    def fill(self, request: DocumentRequest) -> FilledForm:
        """Open the source's form afresh, choose and type everything, read it back. Free. DataError if no option is right."""

    def submit(self, request: DocumentRequest) -> ViewerReached:
        """Submit the filled form and follow lists and confirmation to the viewer.

        Only to be called under a recorded intent, once for each `fill`. DataError, SessionExpired and SiteUnavailable
        (maintenance page) mean that a page which is not the viewer answered, hence nothing was bought; any other error
        leaves it unknown.
        """

    def save(self, target: Path) -> None:
        """Save the viewer's document into `target`. Free, repeatable while the viewer is open. DocumentError if none came."""

    def collect_evidence(self, folder: Path, label: str, error: Exception) -> Path | None:
        """Best effort: screenshot, HTML and URL of the page, without any typed secret, kept with those of like errors; `folder`
        stays within its bounds. Returns where they are, or None."""

    @property
    def idle_seconds(self) -> float:
        """Since the site last answered this session; 0 before it ever did. From any thread."""

    def idle_end(self) -> IdleEnd | None:
        """How the last idle time ended, told once; None when nothing new is known. After `fill`, `keep_alive`, `sign_out`."""

    def keep_alive(self) -> None:
        """Open the index form and prove it: the site's idle clock starts anew. Free. SessionExpired when it is too late."""

    def sign_out(self) -> bool:
        """Leave by the site's own link; True when the site showed that the session is over. Free and best effort: never
        raises, does nothing after `interrupt`, and returns within seconds. Only `close` may follow."""

    def interrupt(self) -> None:
        """Make the call under way, and any later one, raise Aborted as soon as it can."""

    def close(self) -> None:
        """Leave the site and free the context. Never raises, returns within seconds."""


class Registry(Protocol):
    """Opens sessions; owns the browsers behind them. Thread-safe."""

    @property
    def assumed_idle_limit(self) -> timedelta:
        """How long a session may idle as far as the site's profile knows; `Idleness` knows what was learnt."""

    def open_session(self, credentials: Credentials, on_step: Callable[[Step], None]) -> RegistrySession:
        """A new session, not yet signed in. BrowserFailed if no browser can be had."""

    def close(self) -> None:
        """Close every session and browser; kill what does not close. Idempotent."""
