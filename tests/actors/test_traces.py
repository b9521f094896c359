"""Attempts as OpenTelemetry sees them: one trace each, its steps and its delivery; nothing of it unless it is asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

import actors.fleet
from registre.errors import DataError, ErrorKind
from registre.job import Status
from registre.ports import Step
from registre.tracing import ENDPOINT, NoTraces, SentTraces, make_traces
from tests.actors.host import Site
from tests.fakes import FakeRegistry, Point
from tests.waiting import until


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(actors.fleet, "make_traces", lambda *_: SentTraces(provider))
    yield exporter
    provider.shutdown()


def trace_of(spans: InMemorySpanExporter) -> Sequence[ReadableSpan]:
    """The spans of the one trace there is, in the order of their beginnings."""
    found = sorted(spans.get_finished_spans(), key=lambda span: span.start_time or 0)
    assert len({span.context.trace_id for span in found if span.context}) == 1
    return found


def test_an_attempt_is_one_trace_with_its_steps_and_its_delivery(site: Site, spans: InMemorySpanExporter) -> None:
    site.accounts("99T0001")
    (order,) = site.order(1_000_001)
    site.start()
    (job,) = site.until_ended(order)
    assert job.status is Status.DONE
    until(lambda: len(spans.get_finished_spans()) == 6, "not every span ended")
    attempt, *steps = trace_of(spans)
    assert attempt.name == "attempt"
    assert dict(attempt.attributes or {}) == {
        "registre.job": order,
        "registre.source": "index",
        "registre.attempt": 1,
        "registre.ending": "secured",
    }
    assert [step.name for step in steps] == [Step.FORM, Step.SUBMITTING, Step.SAVING, Step.SECURING, "deliver"]
    assert attempt.context is not None
    assert {step.parent.span_id for step in steps if step.parent} == {attempt.context.span_id}
    assert all(step.end_time is not None and step.end_time >= (step.start_time or 0) for step in steps)


def test_an_attempt_that_fails_says_of_which_kind_and_nothing_in_the_sites_words(
    site: Site, registry: FakeRegistry, spans: InMemorySpanExporter
) -> None:
    registry.fail(Point.FILL, DataError(ErrorKind.NOT_FOUND, "Marie Tremblay n’a rien de tel."))
    site.accounts("99T0001")
    (order,) = site.order(1_000_001)
    site.start()
    site.until_ended(order)
    until(lambda: len(spans.get_finished_spans()) == 2, "not every span ended")
    attempt, form = trace_of(spans)
    assert (attempt.attributes or {})["registre.error_kind"] == "not_found"
    assert {span.status.status_code for span in (attempt, form)} == {StatusCode.ERROR}
    told = " ".join(span.to_json() for span in (attempt, form))
    for secret in ("Tremblay", "secret-of", "99T0001", "Montréal"):
        assert secret not in told


def test_a_delivery_that_must_be_repeated_is_told_each_time(
    site: Site, registry: FakeRegistry, spans: InMemorySpanExporter
) -> None:
    del registry
    site.accounts("99T0001")
    site.home.parent.joinpath("buckets").write_text("a file where the folder of the buckets should be")
    site.start()
    (order,) = site.order(1_000_001)

    def deliveries() -> list[StatusCode]:
        return [s.status.status_code for s in spans.get_finished_spans() if s.name == "deliver"]

    until(lambda: StatusCode.ERROR in deliveries(), "the delivery did not fail")
    site.home.parent.joinpath("buckets").unlink()
    site.until_ended(order)
    until(lambda: deliveries()[-1] is not StatusCode.ERROR, "the delivery did not end")
    trace_of(spans)


def test_without_an_endpoint_nothing_is_traced_and_nothing_imported() -> None:
    assert isinstance(make_traces("host-a", "1", {}), NoTraces)
    code = (
        "import sys; import actors.fleet; from registre.tracing import make_traces; make_traces('a', '1', {}); "
        "assert not [m for m in sys.modules if m.startswith(('opentelemetry.sdk.trace', 'opentelemetry.exporter'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_extra_an_endpoint_is_answered_by_a_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert isinstance(make_traces("host-a", "1", {ENDPOINT: "http://127.0.0.1:4318"}), NoTraces)
    assert "without its extra 'otel'" in caplog.text


def test_with_both_it_is_sent_and_an_endpoint_that_is_away_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    traces = make_traces("host-a", "1")
    assert isinstance(traces, SentTraces)
    traces.close()
