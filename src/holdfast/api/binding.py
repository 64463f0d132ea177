"""From a request to the arguments of a handler, and from its result to bytes.

A handler is a plain function; its signature says what it needs:

- ``shop``, ``caller`` and ``origin`` (where the request came from) are given;
- ``request`` is Litestar's, for the few that must see headers or raw bytes;
- names in the path are path parameters;
- ``data`` is the JSON body, decoded and checked by msgspec in one pass;
- ``Annotated[str | None, HeaderParameter(name="...")]`` is a header;
- whatever else is a query parameter, checked in the same way as a body.

It returns what is to be sent as JSON, None for no content, or a Litestar
``Response`` when it has headers or a status of its own to say.
"""

import inspect
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import (
    Annotated,
    Any,
    NamedTuple,
    Protocol,
    get_args,
    get_origin,
    get_type_hints,
)
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.enums import ParamType
from litestar.params import ParameterKwarg

from holdfast.api import decoding
from holdfast.api.policy import Route
from holdfast.api.protection.keys import Done, Keyed
from holdfast.domain.identity import Origin
from holdfast.resilience.asgi import Receive, Reply, Scope, Send
from holdfast.resilience.asgi.idempotency import again

_GIVEN = ("shop", "caller", "origin", "request", "data")
# What a handler is given besides what the client said.
_UNSAID = frozenset({"shop", "caller", "origin", "request"})
_LONGEST_USER_AGENT = 512
# What may be said in several lines: together they are one list (RFC 9110 5.3).
_LISTS = frozenset({"Accept-Language"})
_JSON = (b"content-type", b"application/json")
_ENCODER = msgspec.json.Encoder()
_CONSTRAINTS = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length")
_TEXTS = ("pattern", "title", "description")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or header of a handler."""

    argument: str
    name: str
    type: Any
    default: Any
    in_header: bool

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty


class Keeping(Protocol):
    """A shop, as far as it matters here."""

    keyed: Keyed


class Endpoint:
    """One handler, ready to be called with a request once it is in a shop."""

    def __init__(self, route: Route) -> None:
        taken = inspect.signature(route.handler).parameters
        self._handler: Callable[..., Awaitable[Any]] = route.handler
        self._fixed: dict[str, object] = {}
        self._wants_shop = "shop" in taken
        self._wants_caller = "caller" in taken
        self._wants_origin = "origin" in taken
        self._wants_request = "request" in taken
        self._body = body_of(route)
        parameters = parameters_of(route)
        # A mistyped name must not be ignored; but monitors and browsers add
        # parameters of their own to the pages that are not part of the API.
        strict = route.path.startswith("/v1/")
        query = [p for p in parameters if not p.in_header]
        headers = [p for p in parameters if p.in_header]
        self._query = _Fields(query, strict=strict) if query or strict else None
        self._headers = _Fields(headers, strict=False) if headers else None
        self._header_names = {p.name.lower().encode(): p.name for p in headers}
        self._status = route.success_status
        self._route = route
        self._keyed: Keyed | None = None

    def within(self, shop: Keeping) -> "Endpoint":
        """The same handler, given this shop."""
        inside = copy(self)
        if self._route.takes_key is not None:
            inside._keyed = shop.keyed  # noqa: SLF001
        inside._fixed = {"shop": shop} if self._wants_shop else {}  # noqa: SLF001
        return inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the handler and send what it returns."""
        if self._keyed is not None:
            key = self._keyed.key_of(self._route, scope)
            if key is not None:
                reply = await self._answer(self._keyed, key, scope, receive, send)
                await reply(scope, receive, send)
                return
        arguments = await self._arguments(scope, receive, send)
        result = await self._handler(**arguments)
        if isinstance(result, Response) and type(result) is not Response:
            # Streams and files know themselves how to be sent.
            request: Any = Request(scope, receive, send)  # type: ignore[arg-type]
            stream: Any = result.to_asgi_response(None, request)
            await stream(scope, receive, send)
            return
        await _reply(result, self._status)(scope, receive, send)

    async def _arguments(
        self, scope: Scope, receive: Receive, send: Send
    ) -> dict[str, Any]:
        """What the handler is called with; raises what is wrong with the request."""
        arguments = {**self._fixed, **scope["path_params"]}
        if self._wants_caller:
            arguments["caller"] = scope["holdfast.caller"]
        if self._wants_origin:
            arguments["origin"] = origin_of(scope)
        if self._query is not None:
            query = scope["query_string"]
            values = decoding.read_query(query) if query else {}
            arguments.update(self._query.read(values))
        if self._headers is not None:
            arguments.update(self._headers.read(self._header_values(scope)))
        if self._wants_request:
            arguments["request"] = Request(scope, receive, send)  # type: ignore[arg-type]
        if self._body is not None:
            arguments.update(await self._body.read(scope, receive))
        return arguments

    async def _answer(
        self, keyed: Keyed, key: str, scope: Scope, receive: Receive, send: Send
    ) -> Reply:
        """Have it done under a key."""
        raw = b""
        is_file = self._route.body_limit_bytes is not None
        if self._wants_request and self._body is None and not is_file:
            # The handler reads the body itself; the key stands for all of it.
            raw = await decoding.read_all(receive)
            receive = again(raw, receive)
        arguments = await self._arguments(scope, receive, send)
        return await keyed.answer(
            *(self._route, scope, key),
            said={k: v for k, v in arguments.items() if k not in _UNSAID},
            raw=raw,
            work=partial(self._work, arguments),
        )

    async def _work(self, arguments: dict[str, Any]) -> Done:
        """What is done under a key: the answer, and the id of what was made."""
        result = await self._handler(**arguments)
        content = result.content if isinstance(result, Response) else result
        made = getattr(content, "id", None)
        reply = _reply(result, self._status)
        return Done(reply, made if isinstance(made, UUID) else None)

    def _header_values(self, scope: Scope) -> dict[str, str]:
        values: dict[str, str] = {}
        for name, value in scope["headers"]:
            if (known := self._header_names.get(name)) is not None:
                said = value.decode("latin-1")
                if known in values:
                    if known not in _LISTS:
                        raise decoding.invalid_parameter(known, "Given more than once")
                    said = f"{values[known]},{said}"
                values[known] = said
        return values


# Signatures are the same in every shop, and take 50 ms to read, all of them.
endpoint_of = lru_cache(maxsize=1024)(Endpoint)


class _Fields:
    """Several parameters, read at once as the fields of a struct."""

    def __init__(self, parameters: list[Parameter], *, strict: bool) -> None:
        self._arguments = tuple(p.argument for p in parameters)
        self._required = any(p.required for p in parameters)
        self._defaults = {p.argument: p.default for p in parameters}
        self._strict = strict
        self._struct = msgspec.defstruct(
            "Parameters",
            [
                (p.argument, p.type) if p.required else (p.argument, p.type, p.default)
                for p in parameters
            ],
            rename={p.argument: p.name for p in parameters},
            forbid_unknown_fields=strict,
            kw_only=True,
        )

    def read(self, values: dict[str, str]) -> dict[str, Any]:
        """The arguments; ``InvalidRequest`` names the parameter at fault."""
        if not values and not self._required:
            return self._defaults
        try:
            struct = msgspec.convert(values, self._struct, strict=False)
        except msgspec.ValidationError as error:
            steps, what = decoding.place_of(error)
            what = what.replace("Object contains unknown field", "Unknown parameter")
            what = what.replace("Object missing required field", "Missing parameter")
            # Whatever it should be, in an address it is text.
            what = what.removesuffix(", got `str`")
            raise decoding.invalid_parameter(steps[0], what) from None
        return {name: getattr(struct, name) for name in self._arguments}


def origin_of(scope: Scope) -> Origin:
    """Where a request came from; the address is the one that can be believed."""
    user_agent = None
    for name, value in scope["headers"]:
        if name == b"user-agent":
            user_agent = value[:_LONGEST_USER_AGENT].decode("latin-1")
    return Origin(
        scope.get("holdfast.client_address"),
        user_agent,
        scope.get("holdfast.request_id"),
    )


def body_of(route: Route) -> decoding.Body | None:
    """What a route reads as its body, if anything."""
    data = inspect.signature(route.handler).parameters.get("data")
    if data is None:
        return None
    hints = get_type_hints(route.handler, include_extras=True)
    optional = data.default is not inspect.Parameter.empty
    return decoding.Body(hints["data"], optional=optional)


class SaidOfBody(NamedTuple):
    """What the documentation says of the body of a request."""

    media_type: str
    type: Any
    optional: bool


def said_of_body(route: Route) -> SaidOfBody | None:
    """What a route takes as its body, whoever reads it."""
    if route.form is not None:
        return SaidOfBody("multipart/form-data", route.form, optional=False)
    body = body_of(route)
    if body is None:
        return None
    return SaidOfBody("application/json", body.type, body.optional)


def parameters_of(route: Route) -> list[Parameter]:
    """The query parameters and headers that a route reads."""
    hints = get_type_hints(route.handler, include_extras=True)
    return [
        _parameter(name, hints[name], parameter.default)
        for name, parameter in inspect.signature(route.handler).parameters.items()
        if name not in _GIVEN and name not in route.parameters
    ]


def _parameter(argument: str, hint: Any, default: Any) -> Parameter:
    if get_origin(hint) is Annotated:
        bare, *metadata = get_args(hint)
        for said in metadata:
            if isinstance(said, ParameterKwarg):
                in_header = said.param_type is ParamType.HEADER
                name = said.name or argument
                return Parameter(argument, name, _meta(bare, said), default, in_header)
    return Parameter(argument, argument, hint, default, in_header=False)


def _meta(bare: Any, said: ParameterKwarg) -> Any:
    """The same constraints in msgspec's words."""
    limits = {
        name: value
        for name in (*_CONSTRAINTS, *_TEXTS)
        if (value := getattr(said, name, None)) is not None
    }
    return Annotated[bare, msgspec.Meta(**limits)] if limits else bare


def _reply(result: Any, status: int) -> Reply:
    headers: list[tuple[bytes, bytes]] = []
    if isinstance(result, Response):
        status = result.status_code or status
        headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in result.headers.items()
        ]
        headers += [cookie.to_encoded_header() for cookie in result.cookies]
        content = result.content
        media = result.media_type
        if media is not None:
            kind = getattr(media, "value", media)
            if kind.startswith("text/") and "charset" not in kind:
                kind += "; charset=utf-8"
            headers.append((b"content-type", kind.encode()))
            if isinstance(content, str):
                return Reply(status, content.encode(), headers)
        if isinstance(content, bytes):
            return Reply(status, content, headers)
        if content is None:
            return Reply(status, b"", headers)
        if media is None:
            headers.append(_JSON)
        return Reply(status, _ENCODER.encode(content), headers)
    if result is None:
        return Reply(204 if status == 200 else status)  # noqa: PLR2004 - nothing to show
    return Reply(status, _ENCODER.encode(result), [_JSON])
