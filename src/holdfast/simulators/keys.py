"""Idempotency keys, as headers and paths carry them."""

import re

from holdfast.simulators.web import Problem, Request

_KEY = re.compile(r'("?)(?P<key>[!#-\[\]-~]{1,255})\1')


def key_of(request: Request) -> str:
    """The key of a request that makes something; a ``Problem`` without one."""
    header = request.header(b"idempotency-key")
    if not header:
        raise Problem(400, "idempotency-key-missing", "This needs an Idempotency-Key.")
    return checked(header)


def checked(written: str) -> str:
    """A bare token or a quoted string (RFC 8941): ``abc`` and ``"abc"`` are one."""
    match = _KEY.fullmatch(written)
    if match is None:
        raise Problem(
            400,
            "idempotency-key-invalid",
            "A key is 1 to 255 visible ASCII characters without quotes or backslashes.",
        )
    return match["key"]
