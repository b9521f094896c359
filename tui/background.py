"""Work beside the drawing: begun by a view or by the application, in their own loop.

Invariant: nothing is created that may never be awaited, and what fails unforeseen takes neither view nor terminal with it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, cast

from textual.dom import DOMNode

Work = Callable[[], Coroutine[Any, Any, None]]


def begin(node: DOMNode, work: Work, group: str, *, instead: bool = False) -> None:
    """`instead`: of what the group is at. An error that nobody translated reaches `node` as its worker's state."""
    node.run_worker(cast("Callable[[], None]", work), group=group, exclusive=instead, exit_on_error=False)
