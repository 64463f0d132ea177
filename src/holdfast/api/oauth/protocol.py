"""How clients speak: forms in, RFC 6749's JSON out, and who they say they are."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn, TypeAlias
from urllib.parse import parse_qs, unquote_plus

import msgspec
from litestar import Request, Response

from holdfast.api import decoding
from holdfast.api.problems import (
    InvalidRequest,
    MalformedRequest,
    UnsupportedMediaType,
)
from holdfast.api.shop import Shop
from holdfast.domain.identity import Origin
from holdfast.domain.oauth import ClientRefused, RequestRefused
from holdfast.kernel.errors import Unavailable
from holdfast.workflows.refused import Refused
from holdfast.workflows.tokens import Credentials

ClientRequest: TypeAlias = Request[Any, Any, Any]
Form: TypeAlias = Mapping[str, str]

# RFC 6749 5.1.
_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="oauth", charset="UTF-8"'}
# An address is written to logs and histories (RFC 6749 2.3.1, RFC 9700 4.3).
_NEVER_IN_AN_ADDRESS = frozenset(
    {
        *("client_secret", "client_assertion", "code", "code_verifier"),
        *("refresh_token", "access_token", "token", "username", "password"),
    }
)
_BAD_REQUEST, _UNAUTHORIZED, _UNAVAILABLE = 400, 401, 503


async def answer(
    shop: Shop,
    origin: Origin,
    request: ClientRequest,
    work: Callable[[Form], Awaitable[object]],
) -> Response[bytes]:
    """Answer with what *work* makes of the form, or with why it was refused."""
    try:
        said = await work(await _form(request))
    except RequestRefused as refused:
        if isinstance(refused, ClientRefused):
            shop.refused.note(Refused.client(refused.client_id), origin)
        unknown = refused.error == "invalid_client"
        headers = _CHALLENGE if unknown and _authorizations(request) else {}
        status = _UNAUTHORIZED if unknown else _BAD_REQUEST
        return _refusal(status, refused.error, refused.description, headers)
    except Unavailable:
        # RFC 6749 has no word for this here; this is the one it has for browsers.
        return _refusal(
            *(_UNAVAILABLE, "temporarily_unavailable", "Ask again in a moment"),
            {"Retry-After": "1"},
        )
    content = b"" if said is None else msgspec.json.encode(said)
    return _reply(content, _NOT_KEPT)


def needed(form: Form, name: str) -> str:
    """A parameter that must be there."""
    if name not in form:
        _refuse(f"{name} is missing")
    return form[name]


def scopes_in(form: Form) -> frozenset[str] | None:
    """The scopes that are asked for; None if that is left open."""
    return frozenset(form["scope"].split()) if "scope" in form else None


def credentials_in(request: ClientRequest, form: Form) -> Credentials:
    """Who the client says it is, in one way; two at once are refused (RFC 6749 2.3).

    The ways are ``client_secret_basic``, ``client_secret_post``, and its id alone.
    """
    headers = _authorizations(request)
    if not headers:
        if "client_id" not in form:
            raise RequestRefused("invalid_client", "The request names no client")
        return Credentials(form["client_id"], form.get("client_secret"))
    if len(headers) > 1 or "client_secret" in form:
        _refuse("The client authenticates in more than one way")
    credentials = _basic(headers[0])
    if form.get("client_id", credentials.client_id) != credentials.client_id:
        _refuse("client_id is another than in the Authorization header")
    return credentials


def bearer_in(request: ClientRequest) -> str | None:
    """The token of an ``Authorization: Bearer`` header, if that is the one header."""
    headers = _authorizations(request)
    if len(headers) != 1:
        return None
    scheme, _, token = headers[0].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


async def _form(request: ClientRequest) -> Form:
    asked = parse_qs(request.scope["query_string"].decode("latin-1"))
    if misplaced := sorted(_NEVER_IN_AN_ADDRESS & asked.keys()):
        _refuse(f"{misplaced[0]} belongs into the body")
    try:
        form = await decoding.read_form(
            request.scope,  # type: ignore[arg-type]
            request.receive,  # type: ignore[arg-type]
        )
    except UnsupportedMediaType:
        _refuse("The body must be a form")
    except MalformedRequest as malformed:
        _refuse(malformed.detail)
    except InvalidRequest as invalid:
        fault = invalid.errors[0]
        _refuse(_printable(f"{fault.get('parameter')}: {fault['detail']}"))
    # A parameter without a value counts as left out (RFC 6749 3.2).
    return {name: value for name, value in form.items() if value}


def _basic(header: str) -> Credentials:
    scheme, _, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)  # noqa: TRY301 - one answer for every fault
        decoded = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        client_id, colon, secret = decoded.partition(":")
        if not colon or "\x00" in unquote_plus(client_id):
            raise ValueError(scheme)  # noqa: TRY301 - one answer for every fault
    except (ValueError, binascii.Error):
        message = "The Authorization header is not that of a client"
        raise RequestRefused("invalid_client", message) from None
    # Both were written as in a form before they were joined (RFC 6749 2.3.1).
    return Credentials(unquote_plus(client_id), unquote_plus(secret) or None)


def _authorizations(request: ClientRequest) -> list[str]:
    return [
        value.decode("latin-1")
        for name, value in request.scope["headers"]
        if name == b"authorization"
    ]


def _refuse(description: str) -> NoReturn:
    raise RequestRefused("invalid_request", description)


def _refusal(
    status: int, error: str, description: str, headers: Mapping[str, str]
) -> Response[bytes]:
    said = {"error": error, "error_description": description}
    return _reply(msgspec.json.encode(said), {**_NOT_KEPT, **headers}, status)


def _reply(
    content: bytes, headers: Mapping[str, str], status: int = 200
) -> Response[bytes]:
    return Response(
        content,
        status_code=status,
        headers={**headers, "Content-Type": "application/json"} if content else headers,
    )


def _printable(text: str) -> str:
    """What RFC 6749 5.2 lets a description hold."""
    return "".join(c for c in text[:200] if " " <= c <= "~" and c not in '"\\')
