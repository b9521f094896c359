"""The first page: how much waits and why, who works, how it went, what it cost.

Invariant: it asks for nothing that an index does not serve, however many orders there are.
"""

from __future__ import annotations

from litestar import Response, get

from api.dashboard.charts import chart_of
from api.dashboard.forms import shows
from api.dashboard.rendering import page
from api.desk import AnyRequest, UsesStore
from api.fleet import undelivered_of
from api.overview import causes_of, overview_of, pulse_of
from registre.job import JobFilter, Status
from registre.pulse import Span

RUNNING_SHOWN, RECENT_SHOWN, ALERTS_SHOWN = 20, 8, 5


@get("/", **shows())
def glance(request: AnyRequest, store: UsesStore) -> Response[str]:
    pulses = [pulse_of(store, span) for span in Span]
    running = store.views.page(JobFilter(status=Status.RUNNING), None, RUNNING_SHOWN).jobs
    return page(
        request,
        "glance.html",
        live=True,
        alerts=store.alerts.all(limit=ALERTS_SHOWN),
        seen=overview_of(store),
        pulses=[(pulse, chart_of(pulse)) for pulse in pulses],
        failing=undelivered_of(store).failing,
        causes=causes_of(store).causes[:5],
        jobs={job.id: job for job in running},
        recent=store.views.page(JobFilter(), None, RECENT_SHOWN).jobs,
    )


HANDLED = [glance]
