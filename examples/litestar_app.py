"""A Litestar application, protected as a whole."""

from typing import Any, cast

import uvicorn
from litestar import Litestar, MediaType, Request, Response, get
from shield import shield

from holdfast.resilience import Rejected, TimedOut
from holdfast.resilience.asgi import App, Scope, plain


@get(["/", "/health"], sync_to_thread=False)
def hello() -> str:
    """Say hello."""
    return "hello"


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Where a handler raises ``Rejected`` or ``TimedOut``: 500 else."""
    reply = plain(error, cast("Scope", request.scope))
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    del headers["content-type"]  # which it says by itself
    return Response(
        reply.body,
        status_code=reply.status,
        headers=headers,
        media_type=MediaType.TEXT,
    )


api = Litestar(
    [hello],
    openapi_config=None,
    exception_handlers={Rejected: answer, TimedOut: answer},
)
app = shield(cast("App", api))

if __name__ == "__main__":
    uvicorn.run(app, port=9000)
