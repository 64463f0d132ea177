"""Refusals as pages, for the paths that people see.

Every other path answers with a problem document; here a browser would show JSON to a
person. Status, headers and what is logged are the same.
"""

from holdfast.api import problems
from holdfast.api.hosted import frame
from holdfast.api.hosted.visit import FormRefused
from holdfast.domain.accounts import LinkNotValid
from holdfast.resilience.asgi import Reply, Scope

_PAGES = (
    "/account",
    "/drops",
    "/email",
    "/oauth/authorize",
    "/pages",
    "/password",
    "/sign-in",
    "/sign-out",
    "/sign-up",
)
_DROPPED = (b"content-type", b"www-authenticate")
_HOME = [("/account", "Go to your account")]


def is_page(path: str) -> bool:
    """Whether people see what is at *path*."""
    return any(path == page or path.startswith(page + "/") for page in _PAGES)


def render(error: Exception, scope: Scope) -> Reply:
    """Write the answer to *error*: a page where pages are, else a problem."""
    reply = problems.render(error, scope)
    if not is_page(scope["path"]):
        return reply
    body = frame.html(
        "message.html",
        heading=problems.title_of(type(error)).removesuffix("."),
        lines=_lines(error, reply, scope.get("holdfast.request_id", "")),
        links=_HOME,
    )
    headers = [(b"content-type", b"text/html; charset=utf-8")]
    headers += [header for header in reply.headers if header[0] not in _DROPPED]
    headers += [
        (name.lower().encode(), value.encode())
        for name, value in frame.guards().items()
    ]
    return Reply(reply.status, body.encode(), headers)


def _lines(error: Exception, reply: Reply, request_id: str) -> list[str]:
    """What to do about it."""
    waits = [value for name, value in reply.headers if name == b"retry-after"]
    if isinstance(error, FormRefused):
        return ["Open the page again and repeat what you did."]
    if waits:
        return [wait_in_words(int(waits[0]))]
    if isinstance(error, LinkNotValid):
        return ["Ask for a new link."]
    if problems.status_of(type(error)) == 500:  # noqa: PLR2004 - HTTP
        return ["The fault is ours. Try again in a moment.", f"Reference: {request_id}"]
    return [detail] if isinstance(detail := getattr(error, "detail", ""), str) else []


def wait_in_words(seconds: float) -> str:
    """When to come back, as one says it."""
    whole = -int(-seconds // 1)
    if whole < 90:  # noqa: PLR2004 - what one still counts in seconds
        return f"Try again in {whole} {'second' if whole == 1 else 'seconds'}."
    return f"Try again in {-(-whole // 60)} minutes."
