"""The ways in which a bare application is served: with protection, and without."""

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

from holdfast.resilience.asgi import App, Rejection, Scope, stack
from holdfast.resilience.asgi.load_shed import Claim, LoadShed
from holdfast.resilience.concurrency import Gradient, Limiter

Shield: TypeAlias = Callable[
    [App], AbstractAsyncContextManager[tuple[App, dict[str, Any]]]
]
"""An application as long as it is protected; beside it, what the server's connections
are given as the state of its lifespan."""
_BROWSE = 2
_COHORTS = 128


@asynccontextmanager
async def unprotected(app: App) -> AsyncIterator[tuple[App, dict[str, Any]]]:
    """The control: nothing around it."""
    yield app, {}


@asynccontextmanager
async def protected(app: App) -> AsyncIterator[tuple[App, dict[str, Any]]]:
    """What the library has for any application."""
    limiters = {"all": Limiter("all", Gradient())}
    yield (
        stack(
            app,
            Rejection,
            partial(LoadShed, classify=_claim, limiters=limiters),
        ),
        {},
    )


def _claim(scope: Scope) -> Claim:
    # Each connection is a client of its own.
    _, port = scope["client"] or ("", random.randrange(_COHORTS))  # noqa: S311
    return Claim("all", _BROWSE * _COHORTS + port % _COHORTS)


SHIELDS: Mapping[str, Shield] = {"none": unprotected, "all": protected}
