"""Find the route of a request once, early.

Layers below read its policy, metrics its template. Paths are compared segment by
segment: what is not one of the templates is a 404, so no spelling of ``..`` can
lead anywhere. A path with control characters or broken UTF-8 matches nothing.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from holdfast.api.policy import PARAMETER, Route
from holdfast.api.problems import MethodNotAllowed, RouteNotFound
from holdfast.resilience.asgi import App, Receive, Reply, Scope, Send

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ODD = re.compile("[\x00-\x1f\x7f\ufffd\ud800-\udfff]")

_DOTS = frozenset({".", ".."})


class _Node:
    """One position in the tree of paths."""

    __slots__ = ("named", "parameter", "routes")

    def __init__(self) -> None:
        self.named: dict[str, _Node] = {}
        self.parameter: tuple[str, Callable[[str], Any], _Node] | None = None
        self.routes: dict[str, Route] = {}


class Router:
    """The routes as a tree, for finding the one that a path means."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        self._plain: dict[str, _Node] = {}
        for route in routes:
            node = self._root
            for segment in route.path.strip("/").split("/"):
                node = _step(node, segment)
            node.routes[route.method] = route
            if not route.parameters:
                self._plain[route.path] = node

    def find(
        self, path: str, raw_path: bytes = b""
    ) -> tuple[dict[str, Route], dict[str, Any]]:
        """The routes of *path* by method, and its parameters.

        *raw_path* is the same as it was sent, where that is known. Raises
        ``RouteNotFound`` if there is nothing there.
        """
        if (plain := self._plain.get(path)) is not None:
            return plain.routes, {}
        node, parameters = self._root, {}
        if len(path) < 2 or _ODD.search(path):  # noqa: PLR2004 - "/" has no route
            raise RouteNotFound
        for segment in _segments(path, raw_path):
            if (named := node.named.get(segment)) is not None:
                node = named
                continue
            if node.parameter is None or not segment:
                raise RouteNotFound
            name, read, node = node.parameter
            try:
                parameters[name] = read(segment)
            except ValueError:
                raise RouteNotFound from None
        if not node.routes:
            raise RouteNotFound
        return node.routes, parameters


def _segments(path: str, raw_path: bytes) -> list[str]:
    # An escaped slash belongs to its segment: there are SKUs with one in them.
    if b"%2" in raw_path and b"%2f" in raw_path.lower():
        if not _DOTS.isdisjoint(path.split("/")):
            raise RouteNotFound
        return [unquote(part) for part in raw_path.decode("latin-1")[1:].split("/")]
    return path[1:].split("/")


def _step(node: _Node, segment: str) -> _Node:
    if (match := PARAMETER.fullmatch(segment)) is None:
        return node.named.setdefault(segment, _Node())
    name, read = match[1], _uuid if match[2] == "uuid" else str
    if node.parameter is None:
        node.parameter = (name, read, _Node())
    elif node.parameter[:2] != (name, read):
        raise ValueError(f"two routes name {segment} differently at the same place")
    return node.parameter[2]


def _uuid(text: str) -> UUID:
    # UUID() itself takes braces, "urn:" and missing hyphens: one thing would
    # have several addresses.
    if _UUID.fullmatch(text) is None:
        raise ValueError(text)
    return UUID(text)


class Match:
    """Put the route of a request and its parameters into the scope."""

    def __init__(self, app: App, *, router: Router) -> None:
        self._app = app
        self._router = router

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        routes, parameters = self._router.find(
            scope["path"], scope.get("raw_path") or b""
        )
        method = scope["method"]
        route = routes.get("GET" if method == "HEAD" else method)
        if route is None:
            allow = _allowed(routes)
            if method == "OPTIONS":
                reply = Reply(204, headers=[(b"allow", ", ".join(allow).encode())])
                return reply(scope, receive, send)
            raise MethodNotAllowed(allow)
        scope["holdfast.route"] = route
        scope["path_params"] = parameters
        return self._app(scope, receive, send)


def _allowed(routes: dict[str, Route]) -> tuple[str, ...]:
    extra = {"OPTIONS", "HEAD"} if "GET" in routes else {"OPTIONS"}
    return tuple(sorted(routes.keys() | extra))
