"""The end of a task that would go on for ever."""

import asyncio
from typing import Any

_AGAIN_SECONDS = 0.5


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancel *task* until it has ended; what it ended with is its own affair.

    Once is not always enough: a library that gives up on its own time limit at the same
    moment may take the cancellation for that limit, and the task goes on.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()
