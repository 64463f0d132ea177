"""A server of the shop's edge whose routes only burn CPU; a process of its own.

    python burning.py COST_MS

No database, and otherwise everything: connections, gate, layers, limits. It says its
address on a line of JSON. ``/tasks`` tells what it has to do at the moment, ``/say``
takes what the controls would say.
"""

import asyncio
import json
import resource
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from holdfast.api.app import Application
from holdfast.api.connection import Connection
from holdfast.api.policy import Priority, Route
from holdfast.api.shop import Shop
from holdfast.cli.serve import Server
from holdfast.domain.accounts import Hasher
from holdfast.platform.metrics import Metrics
from holdfast.platform.rates import ROOM
from holdfast.platform.settings import Settings
from holdfast.platform.vault import Vault


def main(cost_seconds: float) -> None:
    settings = Settings.read({"HOLDFAST_ENV": "test", **ROOM})
    nothing: Any = None
    shop = Shop(
        settings, nothing, Metrics({}), nothing, nothing, Vault.fresh(), Hasher()
    )

    async def burn() -> dict[str, bool]:
        # CPU of its own, whoever else is on the machine.
        end = time.thread_time() + cost_seconds
        while time.thread_time() < end:
            pass
        return {"done": True}

    async def live() -> dict[str, bool]:
        return {"alive": True}

    async def tasks() -> dict[str, Any]:
        load = shop.load
        return {
            "tasks": len(asyncio.all_tasks()),
            "rss_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            "level": load.level,
            "shed": load.metrics.shed_by_tier(),
            "threshold": load.shedder.threshold,
            "cost_ms": load.guard.arrivals.cost_seconds * 1000,
        }

    async def say(data: dict[str, Any]) -> dict[str, int]:
        shop.load._said(data)
        return {"level": shop.load.level}

    @asynccontextmanager
    async def opened() -> AsyncIterator[Shop]:
        yield shop

    def route(method: str, path: str, handler: Any, priority: Priority) -> Route:
        return Route(
            method, path, handler, cost=1, priority=priority, public=True, status=200
        )

    routes = [
        *(
            route("GET", f"/{priority.name.lower()}", burn, priority)
            for priority in Priority
            if priority >= 0
        ),
        route("GET", "/livez", live, Priority.EXEMPT),
        route("GET", "/tasks", tasks, Priority.EXEMPT),
        route("PUT", "/say", say, Priority.EXEMPT),
    ]
    config = uvicorn.Config(
        Application(opened, routes),
        http=Connection,
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        backlog=2048,
    )
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        print(json.dumps(listener.getsockname()[1]), flush=True)  # noqa: T201
        Server(config, parent=None).run(sockets=[listener])


if __name__ == "__main__":
    main(float(sys.argv[1]) / 1000)
