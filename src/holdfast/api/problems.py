"""Every error as a problem document (RFC 9457).

An error's class says what happened: its name becomes the type, the first line of
its docstring the title, its fields the details. One table gives each kind its
status, looked up along the class's ancestors, so a new error touches no file but
its own. What is not in the table is a fault of ours: the client gets a request
id, the log gets the traceback.
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from holdfast.kernel import errors as kinds
from holdfast.platform import telemetry
from holdfast.resilience.asgi import Reply, Scope
from holdfast.resilience.errors import (
    BodyTooLarge,
    NotEnoughTime,
    QuotaExceeded,
    Rejected,
    TimedOut,
    TimeoutMalformed,
)
from holdfast.resilience.rate.fields import fields

MEDIA_TYPE = b"application/problem+json"
_INTERNAL = 500


@dataclass(eq=False)
class RouteNotFound(kinds.NotFound):
    """There is nothing at this address."""


@dataclass(eq=False)
class MethodNotAllowed(kinds.DomainError):
    """This address does not answer to this method."""

    allow: tuple[str, ...]


@dataclass(eq=False)
class UnsupportedMediaType(kinds.DomainError):
    """The request body must be JSON."""

    accepted: str = "application/json"


@dataclass(eq=False)
class RangeNotSatisfiable(kinds.DomainError):
    """The range begins after the end of what there is."""

    size: int


@dataclass(eq=False)
class HeadTooLarge(kinds.DomainError):
    """The request's header fields are too many or too large."""

    limit_bytes: int
    limit_fields: int


@dataclass(eq=False)
class AddressTooLong(kinds.DomainError):
    """The request's address is too long."""

    limit_bytes: int


@dataclass(eq=False)
class RequestTooSlow(kinds.DomainError):
    """The request did not arrive in time."""

    limit_seconds: float


@dataclass(eq=False)
class MalformedRequest(kinds.Malformed):
    """The request cannot be read."""

    detail: str


@dataclass(eq=False)
class InvalidRequest(kinds.Invalid):
    """The request does not have the form this operation takes."""

    errors: list[dict[str, str]]


@dataclass(eq=False)
class CredentialsMissing(kinds.Unauthenticated):
    """This operation needs credentials, and the request has none."""


@dataclass(eq=False)
class InvalidCredentials(kinds.Unauthenticated):
    """The credentials of the request are not valid, or no longer."""


@dataclass(eq=False)
class MissingScope(kinds.Forbidden):
    """The credentials do not allow this operation."""

    scope: str


class ClientGone(Exception):
    """The client went away before its request was read."""


# 429 says "you sent too much"; 503 says "we cannot, whoever asks". A client that
# is told 429 for our own overload would slow down for nothing.
_STATUS: dict[type[BaseException], int] = {
    kinds.Malformed: 400,
    TimeoutMalformed: 400,
    kinds.Unauthenticated: 401,
    kinds.PaymentRequired: 402,
    kinds.Forbidden: 403,
    kinds.NotFound: 404,
    MethodNotAllowed: 405,
    RequestTooSlow: 408,
    kinds.Conflict: 409,
    kinds.Gone: 410,
    kinds.Outdated: 412,
    BodyTooLarge: 413,
    AddressTooLong: 414,
    UnsupportedMediaType: 415,
    RangeNotSatisfiable: 416,
    kinds.Invalid: 422,
    kinds.Unconditional: 428,
    HeadTooLarge: 431,
    ClientGone: 499,
    kinds.TooMany: 429,
    QuotaExceeded: 429,
    kinds.Unavailable: 503,
    Rejected: 503,
    kinds.OutcomeUnknown: 504,
    NotEnoughTime: 504,
    TimedOut: 504,
}
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_HIDDEN = frozenset({"type", "title", "status", "instance", "retry_after_seconds"})
_ENCODER = msgspec.json.Encoder()


def status_of(error: type[BaseException]) -> int:
    """The status an error answers with; 500 if it is none of the known kinds."""
    for ancestor in error.__mro__:
        if ancestor in _STATUS:
            return _STATUS[ancestor]
    return _INTERNAL


def slug_of(error: type[BaseException]) -> str:
    """The class name in kebab-case: ``OutOfStock`` is ``out-of-stock``."""
    if status_of(error) == _INTERNAL:
        return "internal-error"
    return _WORD.sub("-", error.__name__).lower()


def title_of(error: type[BaseException]) -> str:
    """The first line of the docstring."""
    if status_of(error) == _INTERNAL:
        return "Something went wrong on our side."
    return (error.__doc__ or error.__name__).strip().partition("\n")[0]


def details_of(error: Exception) -> dict[str, Any]:
    """The fields of an error that a client may see."""
    names: dict[str, Any] = getattr(error, "__dataclass_fields__", {})
    return {name: getattr(error, name) for name in names if name not in _HIDDEN}


def render(error: Exception, scope: Scope) -> Reply:
    """Write the problem document of *error*; log it if the fault is ours."""
    kind = type(error)
    status = status_of(kind)
    request_id = scope.get("holdfast.request_id", "")
    details: dict[str, Any] = {}
    if status == _INTERNAL:
        telemetry.logger().exception(
            "request_failed",
            exc_info=error,
            request_id=request_id,
            method=scope["method"],
            route=getattr(scope.get("holdfast.route"), "path", None),
        )
    else:
        details = details_of(error)
    if isinstance(error, QuotaExceeded):
        details = _quota_details(error)
    if isinstance(errors := details.get("errors"), list):
        details["errors"] = errors[: kinds.MOST_FAULTS]
    if status == 504:  # noqa: PLR2004 - whoever gets one must know whether to ask first
        details.setdefault("outcome", "unknown")
    body = _ENCODER.encode(
        {
            "type": f"/problems/{slug_of(kind)}",
            "title": title_of(kind),
            "status": status,
            **details,
            "instance": f"/requests/{request_id}",
        }
    )
    return Reply(status, body, _headers(error, status))


def _quota_details(error: QuotaExceeded) -> dict[str, Any]:
    """Members as draft-ietf-httpapi-ratelimit-headers-11 names them, and a wait."""
    details: dict[str, Any] = {"violated-policies": error.policies}
    if error.retry_after_seconds is not None:
        details["retry_after"] = error.retry_after_seconds
    if error.too_costly:
        details["detail"] = "The request costs more than there can ever be."
    return details


def _headers(error: Exception, status: int) -> list[tuple[bytes, bytes]]:
    headers = [(b"content-type", MEDIA_TYPE)]
    if isinstance(error, kinds.Unauthenticated):
        # RFC 6750: error="invalid_token" only if there was a token.
        refused = isinstance(error, InvalidCredentials)
        challenge = b'Bearer error="invalid_token"' if refused else b"Bearer"
        headers.append((b"www-authenticate", challenge))
    if isinstance(error, MissingScope):
        needed = f'Bearer error="insufficient_scope", scope="{error.scope}"'
        headers.append((b"www-authenticate", needed.encode()))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(error.allow).encode()))
    if isinstance(error, RangeNotSatisfiable):
        headers.append((b"content-range", b"bytes */%d" % error.size))
    if isinstance(error, QuotaExceeded):
        headers += fields(error.standings)
    wait = getattr(error, "retry_after_seconds", None)
    if wait is None and status == 503:  # noqa: PLR2004 - RFC 9110 15.6.4
        wait = 1
    if wait is not None:
        # Rounded up: a client that waits as long as told must not be early.
        headers.append((b"retry-after", b"%d" % -int(-wait // 1)))
    return headers
