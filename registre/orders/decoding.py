"""The characters of a text file, in the one encoding that the whole of it is in.

Invariant: an encoding is decided for the whole file. A file that mixes two is refused, since half of its accents would be
read as other letters.
"""

from __future__ import annotations

import codecs
import re

from registre.errors import InvalidInput

_UTF_8_IN_BETWEEN = re.compile(rb"\xc3[\x80-\xbf]|\xc5[\x92\x93]|\xe2\x80[\x90-\xbf]|\xe2\x82\xac")
"""é, œ, ’ and € as UTF-8 writes them: pairs that no French text in windows-1252 has (`Ã©`)."""

_MEND = "save it again as 'CSV UTF-8' or .xlsx."


def decode(data: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 with its mark, else windows-1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _whole(data, "utf-16", "UTF-16")
    if data.startswith(codecs.BOM_UTF8):
        return _whole(data, "utf-8-sig", "UTF-8")
    if b"\x00" in data:
        raise InvalidInput("file", f"it is neither a workbook nor a text that says how it is encoded; {_MEND}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if _UTF_8_IN_BETWEEN.search(data):
        raise InvalidInput("file", f"it mixes UTF-8 with another encoding, so its accents cannot be told; {_MEND}")
    return _whole(data, "windows-1252", "UTF-8 or windows-1252")


def _whole(data: bytes, encoding: str, said: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise InvalidInput("file", f"it is not whole as {said} text; {_MEND}") from None
