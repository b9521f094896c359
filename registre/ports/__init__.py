"""What the core asks of the world: a registry session, a spool, a bucket, the stores.

Invariant: every port is synchronous, raises only `registre.errors`, and says which thread may call it. Each has one fake
that passes the same contract suite as the real adapter.
"""

from registre.ports.doors import KeyRing, Repeatable, Webhooks
from registre.ports.rule import Alerts, Batches, Gates, Treasury, Views
from registre.ports.site import FilledForm, Registry, RegistrySession, Step, ViewerReached
from registre.ports.work import (
    AccountBook,
    Bucket,
    Fleet,
    FormBook,
    Idleness,
    JobQueue,
    Ledger,
    LogBook,
    SecretBook,
    SentenceBook,
)

__all__ = [
    "AccountBook",
    "Alerts",
    "Batches",
    "Bucket",
    "FilledForm",
    "Fleet",
    "FormBook",
    "Gates",
    "Idleness",
    "JobQueue",
    "KeyRing",
    "Ledger",
    "LogBook",
    "Registry",
    "RegistrySession",
    "Repeatable",
    "SecretBook",
    "SentenceBook",
    "Step",
    "Treasury",
    "ViewerReached",
    "Views",
    "Webhooks",
]
