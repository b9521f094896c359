"""Rows shared by more than one store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from registre.document import DocumentRequest, Source


def request_of(row: Mapping[str, Any]) -> DocumentRequest:
    """The request of a row with columns source, number, circonscription, cadastre, designation, acte_type.

    Rows come from other programs too: an unknown source is kept as it is, and `DocumentRequest.validate` refuses it.
    """
    source = row["source"]
    return DocumentRequest(
        source=Source(source) if source in set(Source) else cast("Source", source),
        number=row["number"],
        circonscription=row["circonscription"],
        cadastre=row["cadastre"],
        designation=row["designation"],
        acte_type=row["acte_type"],
    )
