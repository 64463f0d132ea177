"""A Litestar application, protected as a whole."""

from typing import cast

import uvicorn
from litestar import Litestar, get
from shield import shield

from holdfast.resilience.asgi import App


@get(["/", "/health"], sync_to_thread=False)
def hello() -> str:
    """Say hello."""
    return "hello"


app = shield(cast("App", Litestar([hello], openapi_config=None)))

if __name__ == "__main__":
    uvicorn.run(app, port=9000)
