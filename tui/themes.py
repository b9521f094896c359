"""The dashboard's own themes: the palette of Okabe and Ito, which people who confuse red and green tell apart.

Invariant: success and error differ in lightness too, so that they differ in grey.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="registre",
    primary="#56B4E9",
    secondary="#CC79A7",
    accent="#F0E442",
    success="#1FC79A",
    warning="#E69F00",
    error="#E8602C",
    foreground="#E4E8EE",
    background="#0F141A",
    surface="#151B23",
    panel="#1E2731",
    dark=True,
    variables={"text-disabled": "#46525F", "text-muted": "#93A1B0", "block-cursor-text-style": "none"},
)

LIGHT = Theme(
    name="registre-light",
    primary="#005F96",
    secondary="#8F3D6B",
    accent="#6B5A00",
    success="#00694F",
    warning="#8A5A00",
    error="#A83C00",
    foreground="#1B2129",
    background="#F7F7F3",
    surface="#EFEFEA",
    panel="#E3E4DE",
    dark=False,
    variables={"text-disabled": "#B4B9BE", "text-muted": "#5A646F", "block-cursor-text-style": "none"},
)

THEMES = (DARK, LIGHT)
