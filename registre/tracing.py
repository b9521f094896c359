"""Traces for OpenTelemetry: one for each attempt at an order, with a span for each of its steps and for the delivery.

Invariant: nothing is traced, and nothing of OpenTelemetry imported, without OTEL_EXPORTER_OTLP_ENDPOINT and the extra `otel`. An
attribute holds no secret and no name: ids, sources, numbers of attempts, and how they ended.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from registre.job import Lease
from registre.ledger import PurchaseId

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

log = logging.getLogger(__name__)

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
MOST_BOUGHT = 1000
"""Attempts that are remembered for their delivery; of an older one, the delivery is a trace of its own."""


class AttemptTrace(Protocol):
    """One attempt. Any thread; after `end` nothing more is noted."""

    def step(self, name: str) -> None:
        """The step before, if any, is over."""

    def end(self, ending: str, error_kind: str = "") -> None: ...


class Traces(Protocol):
    """What a fleet tells. Thread-safe; waits for nobody."""

    def attempt(self, lease: Lease) -> AttemptTrace: ...

    def bought(self, purchase_id: PurchaseId, attempt: AttemptTrace) -> None:
        """The delivery of this purchase belongs to this attempt."""

    def delivery(self, purchase_id: PurchaseId) -> AbstractContextManager[None]: ...

    def close(self) -> None:
        """Send what is not sent yet, for some seconds at most."""


def make_traces(host: str, version: str, environment: Mapping[str, str] = os.environ) -> Traces:
    """As the environment says; OpenTelemetry's own variables say where and how they are sent."""
    if not environment.get(ENDPOINT):
        return NoTraces()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("%s is set, and nothing is traced: registre was installed without its extra 'otel'", ENDPOINT)
        return NoTraces()
    about = {"service.name": "registre", "service.version": version, "service.instance.id": host}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return SentTraces(provider)


class NoTraces:
    """Implements `Traces` and `AttemptTrace`, and notes nothing."""

    def attempt(self, lease: Lease) -> NoTraces:
        del lease
        return self

    def bought(self, purchase_id: PurchaseId, attempt: AttemptTrace) -> None:
        """Nothing."""

    @contextmanager
    def delivery(self, purchase_id: PurchaseId) -> Iterator[None]:
        del purchase_id
        yield

    def step(self, name: str) -> None:
        """Nothing."""

    def end(self, ending: str, error_kind: str = "") -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class SentTraces:
    """Implements `Traces` over a provider, which it closes."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("registre")
        self._bought: dict[PurchaseId, Span] = {}
        self._guard = Lock()

    def attempt(self, lease: Lease) -> Attempt:
        about: dict[str, str | int] = {
            "registre.job": lease.job_id,
            "registre.source": str(lease.request.source),
            "registre.attempt": lease.attempt,
        }
        return Attempt(self, self._tracer.start_span("attempt", attributes=about))

    def below(self, parent: Span, name: str) -> Span:
        from opentelemetry.trace import set_span_in_context

        return self._tracer.start_span(name, context=set_span_in_context(parent))

    def bought(self, purchase_id: PurchaseId, attempt: AttemptTrace) -> None:
        if isinstance(attempt, Attempt):
            with self._guard:
                self._bought[purchase_id] = attempt.span
                while len(self._bought) > MOST_BOUGHT:
                    del self._bought[next(iter(self._bought))]

    @contextmanager
    def delivery(self, purchase_id: PurchaseId) -> Iterator[None]:
        with self._guard:
            parent = self._bought.get(purchase_id)
        span = self.below(parent, "deliver") if parent is not None else self._tracer.start_span("deliver")
        span.set_attribute("registre.purchase", purchase_id)
        try:
            yield
        except Exception as error:
            _fail(span, type(error).__name__)
            raise
        else:
            with self._guard:
                self._bought.pop(purchase_id, None)
        finally:
            span.end()

    def close(self) -> None:
        self._provider.shutdown()


class Attempt:
    """Implements `AttemptTrace`."""

    def __init__(self, traces: SentTraces, span: Span) -> None:
        self.span = span
        self._traces = traces
        self._step: Span | None = None
        self._ended = False
        self._guard = Lock()

    def step(self, name: str) -> None:
        with self._guard:
            if not self._ended:
                self._end_step()
                self._step = self._traces.below(self.span, name)

    def end(self, ending: str, error_kind: str = "") -> None:
        with self._guard:
            if self._ended:
                return
            self._ended = True
            self.span.set_attribute("registre.ending", ending)
            if error_kind:
                self.span.set_attribute("registre.error_kind", error_kind)
                for span in (self._step, self.span):
                    if span is not None:
                        _fail(span, error_kind)
            self._end_step()
            self.span.end()

    def _end_step(self) -> None:
        if self._step is not None:
            self._step.end()
            self._step = None


def _fail(span: Span, why: str) -> None:
    """An error's own words may name a person, so only its kind is told."""
    from opentelemetry.trace import Status, StatusCode

    span.set_status(Status(StatusCode.ERROR, why))
