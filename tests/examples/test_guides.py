"""The Python that the guides show runs as it stands there."""

import ast
import asyncio
import inspect
import re
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from holdfast.resilience.asgi import Receive, Reply, Scope, Send

ROOT = Path(__file__).parents[2]
PAGES = [
    "src/holdfast/resilience/README.md",
    "docs/explanation/protection/concurrency.md",
    "docs/explanation/protection/deadlines.md",
    "docs/explanation/protection/idempotency.md",
    "docs/explanation/protection/rate-limiting.md",
    "docs/tutorial/build-a-layer.md",
]


class Provider:
    """Who takes money in the guides."""

    async def charge(self, amount: int) -> int:
        return amount


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await Reply(200, b"hello")(scope, receive, send)


async def get_price(_sku: str) -> int:
    return 1250


def run_tests_in(names: dict[str, Any]) -> list[Awaitable[None]]:
    """Those that a page has written down."""
    return [
        method(thing())
        for thing in list(names.values())
        if inspect.isclass(thing) and thing.__name__.startswith("Test")
        for name, method in vars(thing).items()
        if name.startswith("test_")
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: Path(page).stem)
async def test_each_piece_runs_after_those_before_it(page: str) -> None:
    """What an app brings along is given; whatever else it needs, it imports."""
    text = (ROOT / page).read_text()
    names: dict[str, Any] = {
        "app": hello,
        "Charge": int,
        "Price": int,
        "get_price": get_price,
        "provider": Provider(),
    }
    pieces = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    for number, piece in enumerate(pieces):
        code = compile(
            piece, f"{page}:{number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )
        ended = eval(code, names)  # noqa: S307 - it is ours
        if inspect.isawaitable(ended):
            async with asyncio.timeout(10):
                await ended

    for test in run_tests_in(names):
        async with asyncio.timeout(10):
            await test
    assert pieces
    assert callable(names["app"])
