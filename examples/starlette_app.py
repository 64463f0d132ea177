"""A Starlette application, protected as a whole."""

import uvicorn
from shield import answer, shield
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from holdfast.resilience import Rejected, TimedOut


async def hello(_request: Request) -> PlainTextResponse:
    """Say hello."""
    return PlainTextResponse("hello\n")


api = Starlette(
    routes=[Route("/", hello), Route("/health", hello)],
    exception_handlers={Rejected: answer, TimedOut: answer},
)
app = shield(api)

if __name__ == "__main__":
    uvicorn.run(app, port=9000)
