"""A search form as it was found fresh: its frames, fields, buttons and option lists.

Invariant: pure, and made only of what is the same from one visit to the next: names and types, never a value that was typed,
chosen or generated. Equal contracts have equal fingerprints, on every host and in every version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from registre.document import Source
from registre.matching import Option


@dataclass(frozen=True, slots=True)
class FormField:
    """An input, select or textarea, in the order of the page. `options` is None for all but a select."""

    tag: str
    type: str
    name: str
    id: str
    options: tuple[Option, ...] | None = None

    @property
    def key(self) -> str:
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class FormButton:
    """A button, in the order of the page."""

    name: str
    caption: str
    type: str

    @property
    def key(self) -> str:
        return self.name or self.caption


@dataclass(frozen=True)
class FormContract:
    """What one source's form is made of before anything is chosen in it. Texts have single spaces."""

    frames: tuple[str, ...]
    fields: tuple[FormField, ...]
    buttons: tuple[FormButton, ...]

    @cached_property
    def fingerprint(self) -> str:
        """32 hexadecimal digits."""
        text = json.dumps(self.content(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def content(self) -> dict[str, Any]:
        """As plain JSON; `contract_of` reads it."""
        return {
            "frames": list(self.frames),
            "fields": [
                {
                    "tag": field.tag,
                    "type": field.type,
                    "name": field.name,
                    "id": field.id,
                    "options": None if field.options is None else [[o.value, o.label] for o in field.options],
                }
                for field in self.fields
            ],
            "buttons": [asdict(button) for button in self.buttons],
        }

    def options(self, select: str) -> tuple[Option, ...] | None:
        """The options of the select of this name or id; None when the form has none."""
        return next((f.options for f in self.fields if select in (f.name, f.id) and f.options is not None), None)

    @property
    def selects(self) -> list[str]:
        return [field.key for field in self.fields if field.options is not None]


@dataclass(frozen=True, slots=True)
class SeenForm:
    """A form some session has met. `accepted_at` is None while it drifts; `accepted_by` is None for the first one of a source,
    which is accepted by itself."""

    source: Source
    contract: FormContract
    first_seen: datetime
    last_seen: datetime
    accepted_at: datetime | None
    accepted_by: str | None


def contract_of(content: Mapping[str, Any]) -> FormContract:
    """The contract from what `FormContract.content` made of it."""
    return FormContract(
        frames=tuple(content["frames"]),
        fields=tuple(
            FormField(
                field["tag"],
                field["type"],
                field["name"],
                field["id"],
                None if field["options"] is None else tuple(Option(v, label) for v, label in field["options"]),
            )
            for field in content["fields"]
        ),
        buttons=tuple(FormButton(**button) for button in content["buttons"]),
    )
