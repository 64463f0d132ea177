"""A FastAPI application, protected as a whole."""

import uvicorn
from fastapi import FastAPI
from shield import shield

api = FastAPI()


@api.get("/")
@api.get("/health")
async def hello() -> str:
    """Say hello."""
    return "hello"


app = shield(api)

if __name__ == "__main__":
    uvicorn.run(app, port=9000)
