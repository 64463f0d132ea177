"""The simulators' own clock: they borrow nothing from the shop."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], str]
"""The current instant as RFC 3339 text in UTC, microseconds and ``Z``."""


def utc_now() -> str:
    now = datetime.now(UTC)  # noqa: TID251 - the one place here that may
    return now.isoformat(timespec="microseconds").replace("+00:00", "Z")
