"""Several cases of one promise in one shop.

Opening a shop over a database of its own takes a test ten times as long as a request
that is refused. Where no case leaves anything behind, one shop is enough for all; each
is still judged by itself and named when it fails.
"""

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import pytest

Test = Callable[..., Awaitable[None]]
_Param = type(pytest.param(None))


def cases(
    names: str | tuple[str, ...], values: Iterable[Any]
) -> Callable[[Test], Test]:
    """As ``pytest.mark.parametrize``, but within one test with one set of fixtures.

    For cases that change nothing, as refusals do.
    """
    wanted = (
        tuple(name.strip() for name in names.split(","))
        if isinstance(names, str)
        else names
    )
    every = tuple(_named(wanted, value) for value in values)
    if not every:
        raise ValueError("without a case nothing is promised")

    def around(test: Test) -> Test:
        signature = inspect.signature(test)
        asks = "subtests" in signature.parameters
        kept = [p for p in signature.parameters.values() if p.name not in wanted]
        keyword = inspect.Parameter.KEYWORD_ONLY
        if not asks:
            kept.append(inspect.Parameter("subtests", keyword))

        @functools.wraps(test)
        async def each(*args: Any, subtests: pytest.Subtests, **fixtures: Any) -> None:
            if asks:
                fixtures["subtests"] = subtests
            for case in every:
                with subtests.test(**case):
                    await test(*args, **fixtures, **case)

        each.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return each

    return around


def _named(names: tuple[str, ...], value: Any) -> Mapping[str, Any]:
    if isinstance(value, _Param):
        if value.marks:
            raise ValueError("a mark is for a whole test, not for one of its cases")
        return dict(zip(names, value.values, strict=True))
    if len(names) == 1:
        return {names[0]: value}
    return dict(zip(names, value, strict=True))
