"""How a request to a route is made: what its path names, and what it says."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from keyed_world import World


@dataclass
class Call:
    """A request, but for its key."""

    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


Make = Callable[[World], Awaitable[Any]]
Recipe = Callable[[World, Call], Awaitable[None]]


def names(**made: Make) -> Recipe:
    """What is in the path is made; the body is that of the documentation."""

    async def fill(world: World, call: Call) -> None:
        for name, make in made.items():
            call.path = filled(call.path, name, await make(world))

    return fill


def filled(path: str, name: str, value: object) -> str:
    for kind in ("", ":uuid"):
        path = path.replace(f"{{{name}{kind}}}", str(value))
    return path


def says(body: Any, **made: Make) -> Recipe:
    """The same with a body of its own."""
    fill = names(**made)

    async def say(world: World, call: Call) -> None:
        await fill(world, call)
        call.body = body

    return say
