"""Turn away whoever matters least, before anything is read or looked up.

Stands before the body is read and credentials are looked at: a refusal costs the
finding of the route, a hash of the caller, and an answer that was made when the process
started. The same judgement is made in the connection at the highest level of load (see
``gate``); who passed there is not judged twice.
"""

from collections.abc import Awaitable, Sequence

from holdfast.api.policy import Route
from holdfast.api.protection.answers import Replies
from holdfast.api.protection.load import Load
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

    def __init__(self, app: App, *, load: Load, replies: Replies) -> None:
        self._app = app
        self._load = load
        self._replies = replies

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self._app(scope, receive, send)
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
                return reply(scope, receive, send)
        self._load.metrics.admitted(route.priority)
        return self._app(scope, receive, send)
