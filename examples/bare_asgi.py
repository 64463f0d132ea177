"""A plain ASGI function, protected."""

import uvicorn
from shield import shield

from holdfast.resilience.asgi import Receive, Reply, Scope, Send


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Say hello."""
    await Reply(200, b"hello\n", [(b"content-type", b"text/plain")])(
        scope, receive, send
    )


app = shield(hello)

if __name__ == "__main__":
    uvicorn.run(app, port=9000)
