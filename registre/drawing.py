"""A page of a PDF as a picture, drawn in a process of its own.

Invariant: whatever a file does to the library that draws it, which is no thread's but one's and trusts what it reads, it does to
a process that holds nothing and soon ends.
"""

from __future__ import annotations

import io
import subprocess
import sys
from threading import BoundedSemaphore

from registre.errors import NotFound, Unavailable

WIDTH = 900
"""Pixels; a page is never drawn taller than three times that, whatever its shape."""
SECONDS = 20.0
_AT_ONCE = BoundedSemaphore(2)


def draw(content: bytes, number: int) -> bytes:
    """Page `number`, from 1, as PNG. NotFound when there is no such page or nothing that can be drawn, Unavailable when it
    takes too long. Waits while two others are drawn."""
    command = [sys.executable, "-m", "registre.drawing", str(number)]
    with _AT_ONCE:
        try:
            done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise Unavailable("The page takes too long to draw; open the document instead.") from None
    if done.returncode != 0 or not done.stdout:
        raise NotFound("There is no such page, or it cannot be drawn; open the document instead.")
    return done.stdout


def main() -> int:
    """The child: a PDF on stdin, a PNG on stdout; 1 when that cannot be."""
    import pypdfium2

    number = int(sys.argv[1])
    try:
        document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
        if not 1 <= number <= len(document):
            return 1
        page = document[number - 1]
        width, height = page.get_size()
        scale = min(WIDTH / max(width, 1), 3 * WIDTH / max(height, 1))
        picture = io.BytesIO()
        page.render(scale=scale).to_pil().save(picture, "PNG")
    except pypdfium2.PdfiumError:
        return 1
    sys.stdout.buffer.write(picture.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
