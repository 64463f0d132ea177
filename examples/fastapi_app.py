"""A FastAPI application, protected as a whole."""

import uvicorn
from fastapi import FastAPI
from shield import answer, shield

from holdfast.resilience import Rejected, TimedOut

api = FastAPI(exception_handlers={Rejected: answer, TimedOut: answer})


@api.get("/")
@api.get("/health")
async def hello() -> str:
    """Say hello."""
    return "hello"


app = shield(api)

if __name__ == "__main__":
    uvicorn.run(app, port=9000)
