"""Has uploads drawn, one at a time, by ``drawing`` in a process of its own.

The process reads an open file and writes another, neither of which has a name: of a
worker that is killed nothing is left on the disk. It is ended with whoever waits for
it, and after ``SECONDS`` in any case.

Three ends are told apart: a verdict on the picture, which is for good; one that may be
its doing or the machine's, and is tried a few times; one that is the machine's alone.
"""

import asyncio
import errno
import json
import os
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
"""One picture may take so long by the clock. The largest take about 3 s on one core,
and none is given more than 30 s of one: who needs longer waits for others."""

_PROGRAM = Path(__file__).with_name("drawing.py")
# How a decoder dies of a picture.
_CRASHED = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGFPE, -signal.SIGILL}
_TOO_LONG = "The picture takes too long to draw."


@dataclass(eq=False)
class CannotDraw(Exception):
    """The upload is not a picture that can be drawn, now or ever."""

    problem: str


@dataclass(eq=False)
class DrawingInterrupted(Exception):
    """The drawing ended before there was a verdict: killed, out of memory or time."""

    problem: str


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

        Raises ``CannotDraw``; ``DrawingInterrupted`` if it may be tried again a few
        times; ``OSError`` if nothing is known but that this machine is in trouble.
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
            # By the clock, which goes on while a machine does other things.
            raise DrawingInterrupted(_TOO_LONG) from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        _judge(code)


def _judge(code: int) -> None:
    """Raise what the end of the process says, unless it has come to its end."""
    if code == 0:
        return
    if code == os.EX_IOERR:
        raise OSError(errno.EIO, "the drawing can be neither read nor written here")
    if code == -signal.SIGXCPU:
        raise CannotDraw(_TOO_LONG)
    if code in _CRASHED:
        raise CannotDraw("The picture cannot be decoded.")
    # By whoever stops the worker, a machine without memory, a Python that is broken.
    raise DrawingInterrupted("The drawing was ended before it was done.")
