"""Puts a plan's orders where they belong: most through the program, some as another program writes them into the table."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from benchmarks.storm.plan import Planned
from registre.wiring import Store

_AT_ONCE = 1000
_COLUMNS = (
    "document_source",
    "document_number",
    "circonscription_fonciere",
    "cadastre",
    "designation_secondaire",
    "acte_type",
)
_INSERT = sql.SQL(
    "insert into extraction_queue ({}) values (%s, %s, %s, nullif(%s, ''), nullif(%s, ''), nullif(%s, ''))"
).format(sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)))


def place_orders(planned: Sequence[Planned], store: Store, dsn: str) -> None:
    through = [each.order for each in planned if not each.straight]
    for start in range(0, len(through), _AT_ONCE):
        store.queue.submit(through[start : start + _AT_ONCE])
    with psycopg.connect(dsn, autocommit=True) as connection:
        for each in planned:
            if each.straight:
                r = each.order.request
                row = (r.source.value, r.number, r.circonscription, r.cadastre, r.designation, r.acte_type)
                connection.execute(_INSERT, row)
