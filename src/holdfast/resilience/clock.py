"""Time and chance as arguments, so that a test can hold both still."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

Monotonic: TypeAlias = Callable[[], float]
"""Seconds that never run backwards; only differences mean anything."""

Sleep: TypeAlias = Callable[[float], Awaitable[object]]
"""Wait for so many seconds."""


# The very function, not one that calls it: a request asks a dozen times.
monotonic: Monotonic = time.monotonic  # noqa: TID251 - the one place that may
