"""Turn whatever is raised below into a response.

Every layer below may simply raise; this is the only one that writes an error.
When the response had already begun, nothing can be mended: the exception goes
on to the server, which cuts the connection so that the client notices.
"""

from collections.abc import Callable
from typing import TypeAlias

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


def plain(error: Exception, _scope: Scope) -> Reply:
    """Answer with a status and one line of text, for apps without a style of theirs."""
    status = 500
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
    known = status != 500  # noqa: PLR2004 - nothing of an unknown error is shown
    text = (type(error).__doc__ or "") if known else "Internal server error."
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if isinstance(error, Rejected) and error.retry_after_seconds is not None:
        # Rounded up: a client that waits as long as told must not be early.
        wait = -int(-error.retry_after_seconds // 1)
        headers.append((b"retry-after", b"%d" % wait))
    if isinstance(error, QuotaExceeded):
        headers += [*fields(error.standings), (b"cache-control", b"no-store")]
    return Reply(status, f"{text}\n".encode(), headers)


class Rejection:
    """Answer for the layers below when they raise."""

    def __init__(self, app: App, *, render: Render = plain) -> None:
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
