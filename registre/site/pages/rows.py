"""The rows of a list that is offered after a search: read in one look, chosen by their place.

Invariant: a row is only what its own `tr` says; nothing is chosen by being first or nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

from registre.errors import LayoutChanged
from registre.site.tab import Tab

_READ_ROWS = r"""
(ask) => {
  const clean = (text) => (text || '').replace(/\s+/g, ' ').trim();
  const headersOf = (table) => {
    const row = table && [...table.rows].find((r) => r.querySelector('th'));
    return row ? [...row.cells].map((cell) => clean(cell.textContent)) : [];
  };
  const radios = [...document.querySelectorAll(ask.radio)];
  const rows = new Set();
  for (const mark of [...radios, ...document.querySelectorAll(ask.paper)]) {
    const row = mark.closest('tr');
    if (row) rows.add(row);
  }
  return {
    strays: radios.filter((radio) => !radio.closest('tr')).length,
    rows: [...rows].map((row) => {
      const own = [...row.querySelectorAll(ask.radio)];
      return {
        radios: own.map((radio) => radios.indexOf(radio)),
        paper: row.querySelector(ask.paper) !== null,
        cells: [...row.cells].map((cell) => clean(cell.textContent)),
        headers: headersOf(row.closest('table')),
      };
    }),
  };
}
"""


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row. `radio` is its radio's place among the page's, None without one; `headers` are the table's, if any."""

    cells: tuple[str, ...]
    headers: tuple[str, ...] = ()
    radio: int | None = None
    paper_only: bool = False

    @property
    def text(self) -> str:
        return " ".join(cell for cell in self.cells if cell)


async def read_rows(tab: Tab) -> tuple[ListRow, ...]:
    """Every row with a radio or the paper mark. LayoutChanged when a radio stands in no row of its own."""
    result = tab.profile.result
    answer = await tab.page.evaluate(_READ_ROWS, {"radio": result.radio, "paper": result.paper_only_image})
    if answer["strays"] or any(len(row["radios"]) > 1 for row in answer["rows"]):
        raise LayoutChanged("The choices of the list do not stand in rows of their own.", landmark=result.radio)
    return tuple(
        ListRow(tuple(row["cells"]), tuple(row["headers"]), next(iter(row["radios"]), None), row["paper"])
        for row in answer["rows"]
    )


async def check_row(tab: Tab, row: ListRow) -> None:
    """Choose this row; LayoutChanged when the page then holds another choice."""
    radio = tab.profile.result.radio
    if row.radio is None:
        raise LayoutChanged("The row wanted has nothing to choose it by.", landmark=radio)
    chosen = tab.page.locator(radio).nth(row.radio)
    await chosen.check()
    checked = await tab.page.evaluate(
        "(radio) => [...document.querySelectorAll(radio)].map((r, i) => r.checked ? i : -1).filter((i) => i >= 0)",
        radio,
    )
    if checked != [row.radio]:
        raise LayoutChanged("The list does not hold the one choice that was made.", landmark=radio)
