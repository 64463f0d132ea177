"""An application that fails when it answers a success its document does not name."""

from holdfast.api.policy import Route
from holdfast.resilience.asgi import App, Message, Receive, Reply, Scope, Send

_SUCCESS = range(200, 300)


class Undocumented(AssertionError):
    """A client made from the OpenAPI document would not expect this answer."""


def documented(app: App) -> App:
    """*app*, watched."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        seen: list[int] = []

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.append(message["status"])
            await send(message)

        try:
            await app(scope, receive, watch)
        except Exception:  # noqa: BLE001 - as a server does with what it is left with
            if not seen:
                await Reply(500)(scope, receive, send)
        route: Route | None = scope.get("holdfast.route")
        if route is None or not route.documented or scope["method"] == "OPTIONS":
            return
        for status in seen:
            if status in _SUCCESS and status not in (
                route.success_status,
                *route.others,
            ):
                raise Undocumented(f"{route.method} {route.path} answers {status}")

    return call
