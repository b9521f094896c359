"""The contract of the form that is shown, read in one look.

Invariant: nothing that differs from one visit to the next is read: no typed or hidden value, no choice, no text beside the form.
"""

from __future__ import annotations

from registre.forms import FormContract, contract_of
from registre.site.tab import Tab

_MOST = {"controls": 500, "options": 5000, "text": 200}
"""No form comes near; a page gone wild is cut at the same place each time."""

# answers what `contract_of` reads
_READ_CONTRACT = r"""
(ask) => {
  if (!document.querySelector(ask.landmark)) return null;
  const clean = (text) => (text || '').normalize('NFC').replace(/\s+/g, ' ').trim().slice(0, ask.text);
  const options = (select) => [...select.options].slice(0, ask.options).map((o) => [clean(o.value), clean(o.textContent)]);
  const controls = [...document.querySelectorAll('input, select, textarea, button')].slice(0, ask.controls);
  const isButton = (c) => c.tagName === 'BUTTON' || ['submit', 'button', 'reset', 'image'].includes(c.type);
  return {
    frames: [...document.querySelectorAll('frame, iframe')].slice(0, ask.controls).map((frame) => clean(frame.name)),
    fields: controls.filter((c) => !isButton(c)).map((c) => ({
      tag: c.tagName.toLowerCase(), type: c.type || '', name: clean(c.name), id: clean(c.id),
      options: c.tagName === 'SELECT' ? options(c) : null,
    })),
    buttons: controls.filter(isButton).map((c) => ({
      name: clean(c.name), caption: clean(c.tagName === 'BUTTON' ? c.textContent : c.value || c.alt), type: c.type,
    })),
  };
}
"""


async def read_contract(tab: Tab, landmark: str) -> FormContract | None:
    """The contract of the form as it stands; None when the page does not hold the form's landmark."""
    answer = await tab.page.evaluate(_READ_CONTRACT, {**_MOST, "landmark": landmark})
    return None if answer is None else contract_of(answer)
