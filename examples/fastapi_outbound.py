"""A FastAPI application that asks another service by httpx, and outlives it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import uvicorn
from fastapi import FastAPI, HTTPException, Request
from shield import answer, shield

from holdfast.resilience import (
    Breaker,
    Bulkhead,
    CircuitBreaker,
    Deadline,
    Pipeline,
    Rejected,
    Retry,
    RetryBudget,
    Throttle,
    TimedOut,
)

WEATHER = "http://127.0.0.1:9/"


class Unwell(Exception):
    """The service answered that it had failed."""


# One for all requests: what it knows of the service is in it. The errors of httpx are
# no OSError, so Retry has to be told of them; a GET may be repeated, whatever happened.
ask = Pipeline(
    Deadline(3),
    Retry(repeatable=True, on=(httpx.TransportError, Unwell), budget=RetryBudget()),
    CircuitBreaker(
        Breaker("weather"),
        timeout_seconds=1,
        unreachable=(httpx.ConnectError,),  # five in a row are enough
    ),
    Throttle("weather"),
    Bulkhead("weather", concurrent=10, waiting=10),
    Deadline(1),
)


async def get(client: httpx.AsyncClient, url: str) -> httpx.Response:
    """What the service says; what the policies have to hear of is raised."""
    said = await client.get(url)
    if said.status_code in {429, 503}:
        wait = said.headers.get("retry-after", "")
        raise Rejected(float(wait) if wait.isdecimal() else None)
    if said.is_server_error:
        raise Unwell(said.status_code)
    return said


@asynccontextmanager
async def client(_api: FastAPI) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """One client for all requests; longer than one second it is never asked to wait."""
    async with httpx.AsyncClient(timeout=2, trust_env=False) as one:
        yield {"client": one}


api = FastAPI(lifespan=client, exception_handlers={Rejected: answer, TimedOut: answer})


@api.get("/weather")
async def weather(request: Request) -> str:
    """What the weather is like, or why nobody can say: 502, 503 or 504."""
    try:
        said = await ask(partial(get, request.state.client, WEATHER))
    except (httpx.TransportError, Unwell):
        raise HTTPException(502, "The weather service has failed.") from None
    return said.text


app = shield(api)

if __name__ == "__main__":
    uvicorn.run(app, port=9000)
