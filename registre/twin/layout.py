"""What the faults of the layout do to a page, and how the fields it posts are read back.

Invariant: what is changed on the way out is changed back on the way in, so a form that was filled right still works.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from registre.twin.fault_box import FaultBox

OptionPairs = tuple[tuple[str, str], ...]
"""(value, label) of each option but the blank."""

RENAMED = "Nouv"
RECODED = "R"
TWIN_VALUE, TWIN_LABEL = "N", " (nouveau)"


def changed_field(page: str, faults: FaultBox) -> str:
    """The page with its fields renamed and moved."""
    for name in faults.texts("renamed_field"):
        page = re.sub(rf'(name|id|for)="{name}"', rf'\1="{name}{RENAMED}"', page)
    for name in faults.texts("moved_field"):
        row = re.search(rf'<tr>(?:(?!<tr>|</table>).)*?name="{name}".*?</tr>\n', page, re.DOTALL)
        if row:
            before, end, after = page.replace(row[0], "", 1).rpartition("</table>\n</form>")
            page = before + row[0] + end + after
    return page


def changed_options(select: str, pairs: OptionPairs, faults: FaultBox) -> OptionPairs:
    """The options of a select with some added, removed and recoded."""
    removed = faults.texts("options_removed")
    pairs = tuple((value, label) for value, label in pairs if label not in removed)
    pairs = tuple((changed_value(select, value, faults), label) for value, label in pairs)
    if select in faults.texts("options_added"):
        return tuple(
            each for value, label in pairs for each in ((TWIN_VALUE + value, label + TWIN_LABEL), (value, label))
        )
    return pairs


def changed_value(select: str, value: str, faults: FaultBox) -> str:
    """An option's value as the page has it now."""
    return RECODED + value if select in faults.texts("options_recoded") and value else value


def read_fields(fields: Mapping[str, str], faults: FaultBox) -> Mapping[str, str]:
    """Posted fields under their own names and with their own values."""
    renamed = {name + RENAMED: name for name in faults.texts("renamed_field")}
    read = {renamed.get(name, name): value for name, value in fields.items()}
    for select in faults.texts("options_recoded"):
        if select in read:
            read[select] = read[select].removeprefix(RECODED)
    return read
