"""The page that asks to confirm a request: the last one before money.

Invariant: only the button that confirms is ever pressed.
"""

from __future__ import annotations

from playwright.async_api import Locator

from registre.site.tab import Tab


async def confirm_button(tab: Tab) -> Locator:
    return await tab.first(tab.profile.result.confirm, "button that confirms")
