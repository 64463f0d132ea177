"""The API as one ASGI application.

``build(settings)`` is the composition root of an API process: the lifespan opens
the shop and closes it. Tests that have an open shop use ``serving(shop)``.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from holdfast.api.doorstep import DOORSTEP
from holdfast.api.protection.load import watched
from holdfast.api.routes import ROUTES, Route
from holdfast.api.shop import Shop, opened
from holdfast.api.stack import assemble, doorstep
from holdfast.platform import request_lines
from holdfast.platform.request_lines import RequestLines
from holdfast.platform.settings import Settings
from holdfast.platform.telemetry import AccessLog, logger
from holdfast.resilience.asgi import App, Receive, Scope, Send


def serving(shop: Shop, routes: Sequence[Route] = ROUTES) -> App:
    """The application over a shop that is open already."""
    return assemble(routes, shop)


def access_log(settings: Settings) -> AccessLog | None:
    """The access log the settings ask for: its lines are of level info."""
    wanted = settings.log_level in ("debug", "info")
    if not wanted:
        return None
    keep = None
    if settings.request_log_mib:
        folder = request_lines.folder_in(settings.home)
        keep = RequestLines(folder, limit_bytes=settings.request_log_mib << 20).write
    return AccessLog(settings.log_format, keep=keep)


def build(
    settings: Settings,
    routes: Sequence[Route] = ROUTES,
    *,
    log: AccessLog | None = None,
) -> App:
    """The application of one process; its lifespan opens and closes the shop.

    Who gives the access log flushes it at the very end: a request that is cancelled
    because the process stops is noted after the shop was closed.
    """
    log = log or access_log(settings)
    return Application(lambda: opened(settings, access_log=log), routes)


class Application:
    """Opens the shop when the server starts, and closes it when it stops."""

    def __init__(
        self,
        open_shop: Callable[[], AbstractAsyncContextManager[Shop]],
        routes: Sequence[Route],
    ) -> None:
        self._open_shop = open_shop
        self._routes = routes
        self._app: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif self._app is None:
            raise RuntimeError("a request came before the application was started")
        else:
            await self._app(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._open_shop() as shop:
                self._app = assemble(self._routes, shop)
                # Where the server has no such state, all take the longer way.
                scope.get("state", {})[DOORSTEP] = doorstep(shop)
                with watched(shop.load):
                    await send({"type": "lifespan.startup.complete"})
                    await receive()
        except Exception as error:  # noqa: BLE001 - the server is told, then stops
            starting = self._app is None
            logger().exception("start_failed" if starting else "stop_failed")
            phase = "startup" if starting else "shutdown"
            await send({"type": f"lifespan.{phase}.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})
