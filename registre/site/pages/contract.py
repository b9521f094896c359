"""The contract of the form that is shown, read in one look.

Invariant: nothing that differs from one visit to the next is read: no typed or hidden value, no choice, no text beside the form.
"""

from __future__ import annotations

import json

from registre.forms import FormContract, contract_of
from registre.site.tab import Tab

_MOST = {"controls": 500, "options": 5000, "text": 200}
"""No form comes near; a page gone wild is cut at the same place each time."""

# One text, as JSON of what `contract_of` reads: taken apart it would cost Playwright a millisecond for each form opened.
_READ_CONTRACT = r"""
(ask) => {
  if (!document.querySelector(ask.landmark)) return null;
  const clean = (text) => (text || '').normalize('NFC').replace(/\s+/g, ' ').trim().slice(0, ask.text);
  const options = (select) => [...select.options].slice(0, ask.options).map((o) => [clean(o.value), clean(o.textContent)]);
  const controls = [...document.querySelectorAll('input, select, textarea, button')].slice(0, ask.controls);
  const isButton = (c) => c.tagName === 'BUTTON' || ['submit', 'button', 'reset', 'image'].includes(c.type);
  return JSON.stringify({
    frames: [...document.querySelectorAll('frame, iframe')].slice(0, ask.controls).map((frame) => clean(frame.name)),
    fields: controls.filter((c) => !isButton(c)).map((c) => ({
      tag: c.tagName.toLowerCase(), type: c.type || '', name: clean(c.name), id: clean(c.id),
      options: c.tagName === 'SELECT' ? options(c) : null,
    })),
    buttons: controls.filter(isButton).map((c) => ({
      name: clean(c.name), caption: clean(c.tagName === 'BUTTON' ? c.textContent : c.value || c.alt), type: c.type,
    })),
  });
}
"""


async def look_at_form(tab: Tab, landmark: str) -> str | None:
    """The contract of the form as it stands, for `contract_in`; None when the page does not hold the form's landmark."""
    answer: str | None = await tab.page.evaluate(_READ_CONTRACT, {**_MOST, "landmark": landmark})
    return answer


def contract_in(text: str) -> FormContract:
    return contract_of(json.loads(text))
