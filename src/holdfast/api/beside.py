"""Writes that go on beside the requests they came with: few at once, and waited for.

A request never waits for one, and its time does not end it.
"""

import asyncio
from collections.abc import Coroutine

from holdfast.resilience import deadline

_AT_ONCE = 2
_CLOSE_SECONDS = 2.0


class Beside:
    """The writes of one kind that are under way."""

    def __init__(self) -> None:
        self._writing: set[asyncio.Task[None]] = set()

    @property
    def has_room(self) -> bool:
        """Whether one more may begin."""
        return len(self._writing) < _AT_ONCE

    def begin(self, write: Coroutine[object, object, None]) -> None:
        """Let *write* go on by itself; it keeps its errors to itself."""
        task = asyncio.get_running_loop().create_task(write, context=deadline.apart())
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def close(self) -> None:
        """Wait a moment for what is being written."""
        if self._writing:
            _, late = await asyncio.wait(set(self._writing), timeout=_CLOSE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
