"""Functions of the app that a layer asks about each request."""

from inspect import iscoroutinefunction


def must_not_wait(**functions: object) -> None:
    """Refuse an ``async def`` where the answer is used as it is; ``TypeError``.

    Nothing would fail later: each coroutine is a caller that nobody has seen before, so
    nobody would ever be limited, and no key would ever be known again.
    """
    for name, function in functions.items():
        if iscoroutinefunction(function):
            raise TypeError(f"{name} is called and not awaited: def, and not async def")
