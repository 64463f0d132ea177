"""Read untrusted JSON and query strings, and say exactly what is wrong with them.

Cannot be read (broken JSON, broken UTF-8, nested too deeply): malformed, 400.
Can be read and does not fit: invalid, 422, with the place as a JSON pointer (RFC
6901) or the name of the parameter. msgspec stops at the first fault, so a request
with three faults is told of one at a time.
"""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from holdfast.api.problems import (
    ClientGone,
    InvalidRequest,
    MalformedRequest,
    UnsupportedMediaType,
)
from holdfast.resilience.asgi import Receive, Scope

_AT = re.compile(
    r"^(?P<what>.*?)(?: - at (?:`?key`? in )?`(?P<path>\$.*)`)?$", re.DOTALL
)
_FIELD = re.compile(
    r"^Object (?:contains unknown|missing required) field `(.*)`$", re.DOTALL
)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_MAX_QUERY_FIELDS = 64
_FORM = "application/x-www-form-urlencoded"
_NUL = b"\\u0000"


def place_of(error: msgspec.ValidationError) -> tuple[list[str], str]:
    """Where the fault is, as steps from the top, and what it is."""
    match = _AT.match(str(error))
    what, path = (match["what"], match["path"]) if match else (str(error), None)
    # The key of a mapping is shown as "[...]" and cannot be known; the pointer
    # then ends at the mapping.
    known = (path or "$").partition("[...]")[0]
    steps = [name or index for name, index in _STEP.findall(known[1:])]
    if field := _FIELD.match(what):
        steps.append(field[1])
    return steps, what


def pointer(steps: list[str]) -> str:
    """A JSON pointer (RFC 6901); empty for the whole document."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


class Body:
    """Reads the JSON body of a request as one type."""

    def __init__(self, expected: Any, *, optional: bool) -> None:
        self.type = expected
        self.optional = optional
        self._decoder = msgspec.json.Decoder(expected)

    async def read(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        """The argument ``data``; nothing if the body may be absent and is."""
        raw = await read_all(receive)
        if not raw and self.optional:
            return {}
        _demand_json(scope)
        return {"data": self.decode(raw)}

    def decode(self, raw: bytes) -> Any:
        """Decode and check a body in one pass."""
        try:
            value = self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            steps, what = place_of(error)
            raise InvalidRequest(
                [{"pointer": pointer(steps), "detail": what}]
            ) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MalformedRequest(f"The body is not valid JSON: {error}.") from None
        except RecursionError:
            raise MalformedRequest("The body is nested too deeply.") from None
        if _NUL in raw:
            _refuse_nul(raw)
        return value


async def read_all(receive: Receive) -> bytes:
    """The whole body; ``ClientGone`` if the client leaves before its end."""
    message = await receive()
    parts = []
    while message["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)
        message = await receive()
    raise ClientGone


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The body as it comes; ``ClientGone`` if the client leaves before its end."""
    message = await receive()
    while message["type"] == "http.request":
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
        message = await receive()
    raise ClientGone


def read_query(raw: bytes) -> dict[str, str]:
    """The parameters of a query string; each may be given once."""
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_QUERY_FIELDS,
        )
    except UnicodeError:
        raise MalformedRequest("The parameters are not encoded UTF-8.") from None
    except ValueError:
        raise MalformedRequest("There are too many parameters.") from None
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise invalid_parameter(name, "Given more than once")
        if "\x00" in value:
            raise invalid_parameter(name, "Contains a NUL character")
        values[name] = value
    return values


async def read_form(scope: Scope, receive: Receive) -> dict[str, str]:
    """The fields of a form (``application/x-www-form-urlencoded``), each given once.

    Raises ``UnsupportedMediaType``, ``MalformedRequest`` or ``InvalidRequest``.
    """
    raw = await read_all(receive)
    media = ""
    for name, value in scope["headers"]:
        if name == b"content-type":
            media = value.decode("latin-1").partition(";")[0].strip().lower()
    if media != _FORM:
        raise UnsupportedMediaType(_FORM)
    return read_query(raw)


def invalid_parameter(name: str, what: str) -> InvalidRequest:
    """The fault of one query parameter or header."""
    return InvalidRequest([{"parameter": name, "detail": what}])


def _demand_json(scope: Scope) -> None:
    for name, value in scope["headers"]:
        if name == b"content-type":
            media, _, options = value.decode("latin-1").lower().partition(";")
            media = media.strip()
            if media != "application/json" and not (
                media.startswith("application/") and media.endswith("+json")
            ):
                raise UnsupportedMediaType
            charset = options.strip().removeprefix("charset=").strip('"')
            if options.strip().startswith("charset=") and charset not in (
                "utf-8",
                "utf8",
                "us-ascii",
            ):
                raise UnsupportedMediaType
            return


def _refuse_nul(raw: bytes) -> None:
    """Name the first string with a NUL character, which PostgreSQL cannot store."""
    for steps, text in _strings(msgspec.json.decode(raw), []):
        if "\x00" in text:
            raise InvalidRequest(
                [{"pointer": pointer(steps), "detail": "Contains a NUL character"}]
            )


def _strings(value: Any, steps: list[str]) -> Iterator[tuple[list[str], str]]:
    if isinstance(value, str):
        yield steps, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, [*steps, str(index)])
    elif isinstance(value, dict):
        for key, item in value.items():
            yield steps, key
            yield from _strings(item, [*steps, key])
