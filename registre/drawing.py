"""A page of a PDF as a picture, drawn in a process of its own.

Invariant: whatever a file does to the library that draws it, which is no thread's but one's and trusts what it reads, it does to
a process that holds nothing and soon ends.
"""

from __future__ import annotations

import asyncio
import io
import sys
from contextlib import suppress

from registre.errors import NotFound, Unavailable

WIDTH = 900
"""Pixels; a page is never drawn taller than three times that, whatever its shape."""
SECONDS = 20.0
AT_ONCE = 2
"""Pages of one loop that are drawn at the same time; the others wait, and hold no thread meanwhile."""


class Drawing:
    """Draws pages. To be used in one event loop."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)

    async def draw(self, content: bytes, number: int) -> bytes:
        """Page `number`, from 1, as PNG. NotFound when there is no such page or nothing that can be drawn, Unavailable when it
        takes too long."""
        async with self._free:
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "registre.drawing",
                str(number),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                async with asyncio.timeout(SECONDS):
                    picture, _ = await child.communicate(content)
            except TimeoutError:
                raise Unavailable("The page takes too long to draw; open the document instead.") from None
            finally:
                if child.returncode is None:
                    with suppress(ProcessLookupError):
                        child.kill()
                    await child.wait()
        if child.returncode != 0 or not picture:
            raise NotFound("There is no such page, or it cannot be drawn; open the document instead.")
        return picture


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
