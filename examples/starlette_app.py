"""A Starlette application, protected as a whole."""

import uvicorn
from shield import shield
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def hello(_request: Request) -> PlainTextResponse:
    """Say hello."""
    return PlainTextResponse("hello\n")


app = shield(Starlette(routes=[Route("/", hello), Route("/health", hello)]))

if __name__ == "__main__":
    uvicorn.run(app, port=9000)
