"""Time, handed in rather than looked up.

Everything that needs the time takes a ``Clock``; tests hand in a clock they turn
themselves. This file is the only one that asks the machine.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""The current instant, always in UTC."""

Monotonic: TypeAlias = Callable[[], float]
"""Seconds that never run backwards; only differences mean anything."""


def system_clock() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the one place that may


# The very function, not one that calls it: a request asks a dozen times.
monotonic: Monotonic = time.monotonic  # noqa: TID251 - the one place that may


def rfc3339(instant: datetime) -> str:
    """Write an instant as RFC 3339 in UTC with ``Z`` and microseconds."""
    return (
        instant.astimezone(UTC)
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z")
    )
