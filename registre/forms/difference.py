"""How two contracts of one form differ, in words.

Invariant: two contracts that are not equal have a difference, and it stays short whatever a page holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

from registre.forms.contract import FormButton, FormContract, FormField
from registre.matching import Option

T = TypeVar("T")
Thing = TypeVar("Thing", FormField, FormButton)
Key = tuple[str, int]
"""A name, and how many of that name came before: radio buttons share one."""

_NAMED = 3
"""So many names stand in a sentence; the others are counted."""
_CLAUSES = 6
_LONGEST_NAME = 60


def difference(old: FormContract, new: FormContract) -> str:
    """What has changed, for a person: a few clauses without a full stop; '' when nothing has."""
    clauses = [
        *_names("frame", old.frames, new.frames),
        *_fields(old.fields, new.fields),
        *_buttons(old.buttons, new.buttons),
    ]
    if not clauses and old != new:
        clauses = [
            "its frames stand in another order" if old.frames != new.frames else "a detail of its fields is another"
        ]
    more = len(clauses) - _CLAUSES
    return "; ".join(clauses[:_CLAUSES]) + (f"; and {more} more changes" if more > 0 else "")


def _fields(old: Sequence[FormField], new: Sequence[FormField]) -> Iterator[str]:
    before, after = _by_key(old), _by_key(new)
    yield from _names("field", [f.key for f in old], [f.key for f in new])
    for key, was in before.items():
        now = after.get(key)
        if now is None:
            continue
        name = _named(was.key)
        if (was.tag, was.type) != (now.tag, now.type):
            yield f"{name} is now of type {now.tag} {now.type}, and was of type {was.tag} {was.type}"
        if (was.name, was.id) != (now.name, now.id):
            yield f"{name} has now the name {_named(now.name)} and the id {_named(now.id)}"
        if was.options is not None and now.options is not None:
            yield from _options(name, was.options, now.options)
    yield from _moved(list(before), list(after))


def _buttons(old: Sequence[FormButton], new: Sequence[FormButton]) -> Iterator[str]:
    before, after = _by_key(old), _by_key(new)
    yield from _names("button", [b.key for b in old], [b.key for b in new])
    for key, was in before.items():
        now = after.get(key)
        if now is None:
            continue
        name = _named(was.key)
        if was.caption != now.caption:
            yield f"the button {name} now reads {_quoted(now.caption)}, and read {_quoted(was.caption)}"
        if (was.type, was.name) != (now.type, now.name):
            yield f"the button {name} is now named {_named(now.name)} and of type {now.type}"
    yield from _moved(list(before), list(after))


def _options(select: str, old: Sequence[Option], new: Sequence[Option]) -> Iterator[str]:
    gone, added = _without(old, new), _without(new, old)
    by_label = {option.label: option for option in added}
    recoded = [(was, by_label[was.label]) for was in gone if was.label in by_label]
    gone, added = _without(gone, [was for was, _ in recoded]), _without(added, [now for _, now in recoded])
    by_value = {option.value: option for option in added}
    renamed = [(was, by_value[was.value]) for was in gone if was.value in by_value]
    gone, added = _without(gone, [was for was, _ in renamed]), _without(added, [now for _, now in renamed])
    if recoded:
        was, now = recoded[0]
        rest = f", and {len(recoded) - 1} more have other values" if len(recoded) > 1 else ""
        yield f"{_quoted(was.label)} of {select} has the value {_quoted(now.value)}, and had {_quoted(was.value)}{rest}"
    if renamed:
        was, now = renamed[0]
        rest = f", and {len(renamed) - 1} more have other labels" if len(renamed) > 1 else ""
        yield f"{_quoted(was.label)} of {select} is now called {_quoted(now.label)}{rest}"
    if gone:
        yield f"{select} no longer offers {_several([_quoted(option.label) for option in gone])}"
    if added:
        yield f"{select} newly offers {_several([_quoted(option.label) for option in added])}"
    if not (recoded or renamed or gone or added) and list(old) != list(new):
        yield f"the options of {select} stand in another order"


def _names(what: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    """Names that went and names that came."""
    gone, added = _without(old, new), _without(new, old)
    if gone:
        whats, are = (f"{what}s", "are") if len(gone) > 1 else (what, "is")
        yield f"the {whats} {_several([_named(name) for name in gone])} {are} gone"
    if added:
        yield f"new {what}{'s' * (len(added) > 1)} {_several([_named(name) for name in added])}"


def _moved(old: Sequence[Key], new: Sequence[Key]) -> Iterator[str]:
    """The fewest whose moving makes one order of the other, of those that are in both."""
    before, after = [key for key in old if key in set(new)], [key for key in new if key in set(old)]
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    standing = {key for block in blocks for key in before[block.a : block.a + block.size]}
    moved = [_named(key[0]) for key in before if key not in standing]
    if moved:
        yield f"{_several(moved)} {'stands' if len(moved) == 1 else 'stand'} in another place"


def _without(these: Sequence[T], those: Sequence[T]) -> list[T]:
    """What is more often among these than among those, in its order."""
    left, missing = Counter(those), []
    for item in these:
        if left[item] > 0:
            left[item] -= 1
        else:
            missing.append(item)
    return missing


def _by_key(things: Sequence[Thing]) -> dict[Key, Thing]:
    seen: Counter[str] = Counter()
    found: dict[Key, Thing] = {}
    for thing in things:
        found[thing.key, seen[thing.key]] = thing
        seen[thing.key] += 1
    return found


def _several(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    if more > 0:
        return f"{', '.join(names[:_NAMED])} and {more} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _quoted(text: str) -> str:
    return f"'{_short(text)}'"


def _named(name: str) -> str:
    return _short(name) or "(without a name)"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
