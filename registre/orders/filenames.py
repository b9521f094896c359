"""What a document is called on a person's disk: `index 2784195 Montréal.pdf`.

Invariant: a name is one that Windows, macOS and Linux all take, and no two of one ZIP are the same to any of them. It begins
with the word of its source, hence is never a device's name (NUL, COM1).
"""

from __future__ import annotations

import re
import unicodedata
from itertools import count

from registre.document import DocumentRequest, Source

MAX_CHARACTERS = 120
MAX_BYTES = 240

_WORDS = {Source.ACTE: "acte", Source.INDEX: "index", Source.PLAN: "plan cadastral"}
_NOT_PORTABLE = re.compile(r'[<>:"/\\|?*]')
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class FileNames:
    """Gives each document of one ZIP its name."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, request: DocumentRequest) -> str:
        """A name that was not given yet."""
        for n in count(1):
            suffix = f" ({n}).pdf" if n > 1 else ".pdf"
            name = shortened(_title(request), MAX_CHARACTERS - len(suffix), MAX_BYTES - len(suffix)) + suffix
            key = unicodedata.normalize("NFKC", name.casefold())
            if key not in self._taken:
                self._taken.add(key)
                return name
        raise AssertionError("count() does not end")


def portable(text: str) -> str:
    """`text` without what some system refuses in a file's name, nor what nobody sees."""
    seen = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in unicodedata.normalize("NFC", text))
    return " ".join(_NOT_PORTABLE.sub("-", seen).split())


def shortened(text: str, characters: int, size: int) -> str:
    """The beginning of `text`, within so many characters and bytes of UTF-8, without a dot or a space at its end."""
    whole = text[:characters].encode()[:size].decode(errors="ignore")
    return whole.rstrip(" .")


def _title(request: DocumentRequest) -> str:
    parts = [_WORDS[request.source], request.number_normalized]
    if request.source is Source.ACTE:
        if request.acte_type.strip().casefold() != "acte":
            parts.append(request.acte_type)
        parts.append(request.circonscription)
    else:
        parts.append(request.circonscription)
        if not request.is_renovated_lot:
            parts += [request.cadastre, request.designation]
    return " ".join(filter(None, map(portable, parts)))
