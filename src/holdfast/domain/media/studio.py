"""Has uploads drawn, one at a time, by ``drawing`` in a process of its own.

The process reads an open file and writes another, neither of which has a name: of a
worker that is killed nothing is left on the disk. It is ended with whoever waits for
it, and after ``SECONDS`` in any case.
"""

import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from holdfast.domain.media.model import MAX_PIXELS, SIDES, Rendition

SECONDS = 45.0
"""One picture may take so long; the largest take about 3 s on one core."""

_PROGRAM = Path(__file__).with_name("drawing.py")
# Ended from outside: by whoever stops the worker, or a machine without memory.
_ENDED = {-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, -signal.SIGKILL}


@dataclass(eq=False)
class CannotDraw(Exception):
    """The upload is not a picture that can be drawn, now or ever."""

    problem: str


class DrawingInterrupted(Exception):
    """The drawing was ended from outside."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What was drawn; *blobs* holds the renditions, in their order, end to end."""

    width: int
    height: int
    renditions: tuple[Rendition, ...]
    blobs: IO[bytes]


class Studio:
    """Draws one picture at a time: each takes a core, and up to 2 GiB."""

    def __init__(self, *, seconds: float = SECONDS, program: Path = _PROGRAM) -> None:
        self._seconds = seconds
        self._program = program
        self._place = asyncio.Semaphore(1)

    @asynccontextmanager
    async def drawn(self, upload: IO[bytes]) -> AsyncIterator[Drawing]:
        """The drawings of an open file.

        Raises ``CannotDraw``, or ``DrawingInterrupted`` if it should be tried again.
        """
        with tempfile.TemporaryFile() as out:
            async with self._place:
                await self._run(upload, out)
            out.seek(0)
            said = json.loads(out.readline())
            if "problem" in said:
                raise CannotDraw(said["problem"])
            yield Drawing(
                said["width"],
                said["height"],
                tuple(Rendition(**rendition) for rendition in said["renditions"]),
                out,
            )

    async def _run(self, upload: IO[bytes], out: IO[bytes]) -> None:
        upload.seek(0)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(self._program)),
            json.dumps([dict(SIDES), MAX_PIXELS]),
            stdin=upload,
            stdout=out,
            stderr=asyncio.subprocess.DEVNULL,
            # Nothing of the shop's is in it; and keys for the terminal are not for it.
            env={},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self._seconds):
                code = await process.wait()
        except TimeoutError:
            raise CannotDraw("The picture takes too long to draw.") from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if code in _ENDED:
            raise DrawingInterrupted
        if code != 0:
            raise CannotDraw("The picture cannot be decoded.")
