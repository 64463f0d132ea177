"""Turn away whoever matters least, before anything is read or looked up.

Stands before the body is read and credentials are looked at: a refusal costs the
finding of the route, a hash of the caller, and an answer that was made when the process
started. The same judgement is made in the connection at the highest level of load (see
``gate``); who passed there is not judged twice.
"""

from collections.abc import Sequence

from holdfast.api.policy import Route
from holdfast.api.protection.answers import Replies
from holdfast.api.protection.load import Load
from holdfast.api.protection.metrics_load import GOOD_SECONDS
from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.resilience import deadline
from holdfast.resilience.asgi import App, Claim, Classify, Receive, Scope, Send
from holdfast.resilience.load import COHORTS

_UNTOUCHED = -1
LEVEL = "holdfast.level"
"""In the scope: tier and cohort of the request."""


def claims(routes: Sequence[Route]) -> Classify:
    """What each request asks of the limiters: by its route's kind, at its level.

    Nothing, where it stands in another line. A thousand who sign in would else fill the
    places of all who write, and the shop would be taken to be pressed, and turn away
    those who look.
    """
    kinds = {id(route): route.kind for route in routes}
    elsewhere = {id(route) for route in routes if route.lines_up}

    def claim(scope: Scope) -> Claim:
        budget, route = deadline.current(), id(scope["holdfast.route"])
        return Claim(
            kinds[route],
            _UNTOUCHED if route in elsewhere else scope[LEVEL],
            None if budget is None else budget.due,
        )

    return claim


class Threshold:
    """Serve those above the threshold, refuse those below."""

    def __init__(
        self, app: App, *, load: Load, replies: Replies, timer: Monotonic = monotonic
    ) -> None:
        self._app = app
        self._load = load
        self._replies = replies
        self._timer = timer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route: Route = scope["holdfast.route"]
        level = scope.get(LEVEL)
        if level is None or level // COHORTS != route.priority:
            load = self._load
            level = scope[LEVEL] = load.cohorts.level(
                route.priority, scope["headers"], scope.get("holdfast.client_address")
            )
            if not load.admits(level, "threshold"):
                decisions = scope.setdefault("holdfast.decisions", [])
                decisions.append("load:threshold=shed")
                reply = self._replies.reply(
                    route.priority, scope["holdfast.request_id"]
                )
                await reply(scope, receive, send)
                return
        if route.priority < 0:
            await self._app(scope, receive, send)
            return
        metrics = self._load.metrics
        metrics.admitted(route.priority)
        began = self._timer()
        await self._app(scope, receive, send)
        if self._timer() - began <= GOOD_SECONDS:
            metrics.good[route.priority] += 1
