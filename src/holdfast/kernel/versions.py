"""Which versions of a thing a change was written for.

Whoever changes a thing names the version they have read, or none at all where they mean
whatever there is. Who compares holds a lock, or two could both be right.
"""

from collections.abc import Set as AbstractSet
from typing import TypeAlias

Versions: TypeAlias = AbstractSet[int] | None
"""Those that will do; None for any."""


def are_of(version: int, versions: Versions) -> bool:
    """Whether a change that was written for *versions* was written for this one."""
    return versions is None or version in versions
