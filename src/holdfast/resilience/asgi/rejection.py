"""Turn whatever is raised below into a response.

Every layer below may simply raise; this is the only one that writes an error.
When the response had already begun, nothing can be mended: the exception goes
on to the server, which cuts the connection so that the client notices.

A framework that answers whatever its handlers raise (Starlette, FastAPI, Litestar) is
below: what a handler raises ends there, as 500, unless the framework is told to answer
``Rejected`` and ``TimedOut`` by ``plain``, too. The examples show how.
"""

import logging
from collections.abc import Callable
from typing import TypeAlias

from holdfast.resilience import deadline
from holdfast.resilience.asgi.asked import must_not_wait
from holdfast.resilience.asgi.types import (
    ANSWERED,
    App,
    Receive,
    Reply,
    Scope,
    Send,
    watching,
)
from holdfast.resilience.errors import (
    BodyTooLarge,
    KeyRefused,
    NotEnoughTime,
    QuotaExceeded,
    Rejected,
    TimedOut,
    TimeoutMalformed,
)
from holdfast.resilience.rate.fields import fields

Render: TypeAlias = Callable[[Exception, Scope], Reply]
"""Writes the response for an exception, of whatever kind."""


_LOG = logging.getLogger(__name__)
_INTERNAL = 500


def plain(error: Exception, scope: Scope) -> Reply:
    """Answer with a status and a line of text, for apps without a style of theirs.

    An error that nobody has named is 500, told to nobody, and logged by ``logging``.
    """
    status = _status(error)
    text = (type(error).__doc__ or "").partition("\n")[0]
    if status == _INTERNAL:
        text = "Internal server error."
        _LOG.error("%s failed", scope.get("path", "a request"), exc_info=error)
    elif isinstance(error, TimedOut | NotEnoughTime):
        text += f" Outcome: {_outcome(error)}."
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if isinstance(error, Rejected) and error.retry_after_seconds is not None:
        # Rounded up: a client that waits as long as told must not be early.
        wait = -int(-error.retry_after_seconds // 1)
        headers.append((b"retry-after", b"%d" % wait))
    if isinstance(error, QuotaExceeded):
        headers += [*fields(error.standings), (b"cache-control", b"no-store")]
    return Reply(status, f"{text}\n".encode(), headers)


def _status(error: Exception) -> int:
    status = _INTERNAL
    if isinstance(error, BodyTooLarge):
        status = 413
    elif isinstance(error, QuotaExceeded):
        # The caller sent too much; 503 would say that we cannot, whoever asks.
        status = 429
    elif isinstance(error, KeyRefused):
        status = error.http_status
    elif isinstance(error, TimeoutMalformed):
        status = 400
    elif isinstance(error, TimedOut | NotEnoughTime):
        status = 504
    elif isinstance(error, Rejected):
        status = 503
    return status


def _outcome(error: TimedOut | NotEnoughTime) -> str:
    """Whether anything happened: a handler's own budget knows best, if it has one."""
    budget = deadline.current()
    if budget is None or isinstance(error, TimedOut):
        return error.outcome
    return budget.outcome


class Rejection:
    """Answer for the layers below when they raise."""

    def __init__(self, app: App, *, render: Render = plain) -> None:
        must_not_wait(render=render)
        self._app = app
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer for what comes back as an exception."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = scope.get(ANSWERED)
        if answered is None:
            answered, send = watching(send)
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if answered.status:
                raise
            await self._render(error, scope)(scope, receive, send)
