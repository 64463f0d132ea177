"""Several policies around one outbound call, in the order they are named."""

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import iscoroutine
from typing import Protocol, TypeVar

T = TypeVar("T")

_NO_FUNCTION = "a pipeline takes a function to call: ask(charge), and not ask(charge())"


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
        """Run *call*, which takes no arguments and is awaited, inside every policy.

        It is a function and not what one returned: it may be called more than once, or
        never. ``functools.partial`` gives one its arguments.
        """
        _refuse_result(call)
        for policy in reversed(self._policies):
            call = partial(policy, call)
        return await call()


def _refuse_result(call: object) -> None:
    """Say it in words: Python would say that a coroutine is not callable."""
    if iscoroutine(call):
        call.close()
        raise TypeError(_NO_FUNCTION)
