"""Rows shared by more than one store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from registre.document import DocumentRequest, Source
from registre.job import Order

_SOURCES = {str(source): source for source in Source}


def request_of(row: Mapping[str, Any]) -> DocumentRequest:
    """The request of a row with columns source, number, circonscription, cadastre, designation, acte_type.

    Rows come from other programs too: an unknown source is kept as it is, and `DocumentRequest.validate` refuses it.
    """
    source = row["source"]
    return DocumentRequest(
        source=_SOURCES.get(source) or cast("Source", source),
        number=row["number"],
        circonscription=row["circonscription"],
        cadastre=row["cadastre"],
        designation=row["designation"],
        acte_type=row["acte_type"],
    )


def order_fields(order: Order) -> dict[str, object]:
    """An order as `submit_jobs` and `quote` take it."""
    return {
        **asdict(order.request),
        "source": str(order.request.source),
        "client": order.client,
        "priority": order.priority,
        "max_attempts": order.max_attempts,
        "fresh": order.fresh,
        "not_before": order.not_before and order.not_before.isoformat(),
        "deadline": order.deadline and order.deadline.isoformat(),
    }
