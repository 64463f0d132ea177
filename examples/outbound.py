"""A call to another service that cannot take yours down with it."""

import asyncio
import sys

import aiohttp

from holdfast.resilience import (
    Breaker,
    Bulkhead,
    CircuitBreaker,
    Deadline,
    Pipeline,
    Rejected,
    Retry,
    RetryBudget,
    TimedOut,
)

# Read from the outside in: three seconds for all of it; up to three attempts while
# retries are few; refused at once while the other side is down; ten at a time; one
# second for each attempt.
ask = Pipeline(
    Deadline(3),
    Retry(repeatable=True, budget=RetryBudget()),
    CircuitBreaker(
        Breaker("weather"),
        timeout_seconds=1,
        failures=(TimedOut, OSError),
        unreachable=(aiohttp.ClientConnectorError,),  # five in a row are enough
    ),
    Bulkhead("weather", concurrent=10),
    Deadline(1),
)


async def forecast(session: aiohttp.ClientSession, url: str) -> str:
    """What the service says, or a word about why it is not asked."""

    async def call() -> str:
        async with session.get(url) as answer:
            return await answer.text()

    try:
        return await ask(call)
    except Rejected as refusal:
        return f"not asked: {type(refusal).__name__}"
    except (TimedOut, OSError) as failure:
        return f"no answer: {type(failure).__name__}"


async def main(url: str) -> None:
    """Ask thirty times, and say how that went."""
    async with aiohttp.ClientSession(trust_env=False) as session:
        for _ in range(30):
            print(await forecast(session, url))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:9"))
