"""Several policies around one outbound call, in the order they are named."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

T = TypeVar("T")


class Policy(Protocol):
    """Decides whether, when and how often a call is made."""

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T:
        """Run *call* under this policy."""
        ...


class Pipeline:
    """Several policies acting as one; the first to be named acts first."""

    def __init__(self, *policies: Policy) -> None:
        self._policies = policies

    async def __call__(self, call: Callable[[], Awaitable[T]], /) -> T:
        """Run *call* inside every policy."""
        for policy in reversed(self._policies):
            call = partial(policy, call)
        return await call()
