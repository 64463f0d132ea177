"""The OpenAPI 3.1 document, made from the routes table and the handlers' signatures.

Schemas are msgspec's, so what is documented is what is checked: a body that
forbids unknown fields says ``additionalProperties: false``, numbers carry their
limits. Each route's problems come from its policy: what it ``raises``, and what
every request with a body, with credentials, or with parameters can meet.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from litestar import Response

import holdfast
from holdfast.api import binding
from holdfast.api.examples import EXAMPLES
from holdfast.api.policy import PARAMETER, Priority, Route
from holdfast.api.problems import (
    CredentialsMissing,
    InvalidCredentials,
    InvalidRequest,
    MalformedRequest,
    MissingScope,
    UnsupportedMediaType,
    slug_of,
    status_of,
    title_of,
)
from holdfast.domain.identity import IDENTITY_SCOPES, KEY_SCOPES, SCOPE_TITLES
from holdfast.platform.db import CommitUnclear, DatabaseBusy, DatabaseUnavailable
from holdfast.platform.idempotency import (
    IdempotencyKeyGuessable,
    IdempotencyKeyInProgress,
    IdempotencyKeyMalformed,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    IdempotentAnswerNotKept,
)
from holdfast.resilience.errors import (
    BodyTooLarge,
    DeadlineExceeded,
    NotEnoughTime,
    Overloaded,
    QuotaExceeded,
    TimeoutMalformed,
)

_REFERENCE = "#/components/schemas/{name}"
_PATIENCE = {
    "name": "X-Request-Timeout-Ms",
    "in": "header",
    "required": False,
    "description": "How long the client will wait, in milliseconds from now, if that "
    "is less than the operation may take (`x-holdfast-seconds`, or more where somebody "
    "outside is asked).",
    "schema": {"type": "integer", "minimum": 0},
}
_REASONS = {
    400: "The request cannot be read",
    401: "Credentials are missing or not valid",
    402: "The payment did not succeed",
    403: "The credentials do not allow this",
    404: "There is no such thing",
    409: "The state of things does not allow this",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The request breaks a rule",
    429: "Too many, or too much; ask again later",
    500: "The fault is ours",
    503: "Not possible at the moment; ask again",
    504: "There was not enough time; `outcome` says whether anything happened",
}
_HEADERS = {
    "X-Request-Id": {
        "description": "The id sent with the request, or a new one.",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "The limits that applied: `q` units in `w` seconds each. As "
        "draft-ietf-httpapi-ratelimit-headers-11 has it; guests are told when half is "
        "gone.",
        "schema": {"type": "string", "examples": ['"customer";q=100;w=5']},
    },
    "RateLimit": {
        "description": "What is left: `r` units, and one more after `t` seconds.",
        "schema": {"type": "string", "examples": ['"customer";r=97;t=1']},
    },
    "Retry-After": {
        "description": "Seconds to wait before the request is sent again.",
        "schema": {"type": "integer", "minimum": 1},
    },
}
_LEFT = ("RateLimit-Policy", "RateLimit")
_TOO_MANY = 429
_BUSY = 503
_PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457. Further members depend on the type.",
    "type": "object",
    "required": ["type", "title", "status", "instance"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Which problem it is; leads to a page about it.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {
            "type": "string",
            "format": "uri-reference",
            "description": "Ends in the id of the request, as in `X-Request-Id`.",
        },
    },
}
_SECURITY = {
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "hfk_...",
        "description": "An operator's API key. The scopes it needs are listed.",
    },
    "cartToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "hfc_...",
        "description": "The token of a cart, from the answer that created it.",
    },
    "oauth2": {
        "type": "oauth2",
        "description": "An access token of a person, or of a client on its own behalf.",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": "/oauth/authorize",
                "tokenUrl": "/oauth/token",
                "refreshUrl": "/oauth/token",
                "scopes": {**IDENTITY_SCOPES, **SCOPE_TITLES},
            },
            "clientCredentials": {
                "tokenUrl": "/oauth/token",
                "scopes": {name: SCOPE_TITLES[name] for name in sorted(KEY_SCOPES)},
            },
        },
    },
    "openIdConnect": {
        "type": "openIdConnect",
        "openIdConnectUrl": "/.well-known/openid-configuration",
        "description": "The same, found by discovery.",
    },
}


@lru_cache(8)
def encoded(routes: tuple[Route, ...]) -> bytes:
    """The document as JSON; made when first asked for."""
    return msgspec.json.encode(document(routes))


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The OpenAPI document of *routes*."""
    shown = [route for route in routes if route.documented]
    types = [hint for route in shown for hint in _types_of(route)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    # Types are asked for in the order in which the operations will use them.
    made = iter(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        path = PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, made)
    for name, examples in EXAMPLES.items():
        if name in components:
            components[name]["examples"] = examples
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Holdfast",
            "version": holdfast.__version__,
            "summary": "A headless commerce API that holds under fire.",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in sorted({_tag(route) for route in shown})],
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _PROBLEM},
            "securitySchemes": _SECURITY,
            "headers": _HEADERS,
        },
    }


_ABOUT = """\
Money is `{"amount": 1999, "currency": "EUR"}`, in minor units. Lists are
`{"items": [...], "next": cursor or null}` with a `Link` header. Times are RFC 3339 in
UTC. Every error is a problem document (RFC 9457); its `type` leads to a page that says
what to do. Unknown fields and parameters are refused.
"""


def _types_of(route: Route) -> list[Any]:
    found = [parameter.type for parameter in binding.parameters_of(route)]
    if (body := binding.said_of_body(route)) is not None:
        found.append(body.type)
    if (result := _result_of(route)) is not None:
        found.append(result)
    return found


def _result_of(route: Route) -> Any:
    """What a success carries: the type that the handler returns, or None."""
    hint = get_type_hints(route.handler, include_extras=True).get("return")
    if get_origin(hint) is Annotated:
        # A prepared Response; the metadata says what is in it.
        bare, *metadata = get_args(hint)
        if _is_response(bare):
            return metadata[0]
    if _is_response(hint):
        (content,) = get_args(hint) or (Any,)
        return content
    return None if hint is type(None) else hint


def _is_response(hint: Any) -> bool:
    kind = get_origin(hint) or hint
    return isinstance(kind, type) and issubclass(kind, Response)


def _operation(route: Route, made: Any) -> dict[str, Any]:
    text = (route.handler.__doc__ or route.handler.__name__).strip()
    summary, _, description = text.partition("\n")
    module = route.handler.__module__.rpartition(".")[2]
    operation: dict[str, Any] = {
        "operationId": f"{module}_{route.handler.__name__}",
        "summary": summary.rstrip("."),
        "tags": [_tag(route)],
        "parameters": [
            *_path_parameters(route),
            *_parameters(route, made),
            _PATIENCE,
        ],
        "security": _security(route),
        "x-holdfast-cost": route.cost,
        "x-holdfast-priority": route.priority.name.lower(),
        "x-holdfast-seconds": route.seconds,
    }
    if description.strip():
        lines = (line.strip() for line in description.strip().splitlines())
        operation["description"] = "\n".join(lines)
    if (body := binding.said_of_body(route)) is not None:
        operation["requestBody"] = {
            "required": not body.optional,
            "content": {body.media_type: {"schema": next(made)}},
        }
    success: dict[str, Any] = {
        "description": "Done",
        "headers": _headers("X-Request-Id", *(_LEFT if route.cost else ())),
    }
    if _result_of(route) is not None:
        success["content"] = {"application/json": {"schema": next(made)}}
    operation["responses"] = {
        **{str(status): success for status in (route.success_status, *route.others)},
        **_problems(route),
    }
    return operation


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _tag(route: Route) -> str:
    words = route.path.removeprefix("/v1").strip("/").split("/")[0]
    return words.replace("-", " ") if route.path.startswith("/v1/") else "operations"


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"}
            if kind == "str"
            else {"type": "string", "format": "uuid"},
        }
        for name, kind in route.parameters.items()
    ]


def _parameters(route: Route, made: Any) -> list[dict[str, Any]]:
    listed = []
    for parameter in binding.parameters_of(route):
        schema = dict(next(made))
        said: dict[str, Any] = {
            "name": parameter.name,
            "in": "header" if parameter.in_header else "query",
            "required": parameter.required,
        }
        if "description" in schema:
            said["description"] = schema.pop("description")
        if not parameter.required and parameter.default is not None:
            schema["default"] = msgspec.to_builtins(parameter.default)
        listed.append({**said, "schema": schema})
    named = {parameter["name"].lower() for parameter in listed}
    if route.takes_key is not None and "idempotency-key" not in named:
        hard = " A UUID, or 20 characters and more at random." * route.secret_answer
        listed.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": route.takes_key == "required",
                "description": "The same key again: the same answer, done once. Kept "
                f"for 24 hours.{hard}",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        )
    return listed


def _security(route: Route) -> list[dict[str, list[str]]]:
    """The ways to prove enough; any one of them will do."""
    if route.scope is None:
        return [{}, {"apiKey": []}, {"oauth2": []}]
    scopes = [route.scope] if route.also is None else [route.scope, route.also]
    ways: list[dict[str, list[str]]] = [{"oauth2": scopes}]
    if KEY_SCOPES.issuperset(scopes):
        # Keys are nobody's: they cannot hold a scope about oneself.
        ways.insert(0, {"apiKey": scopes})
    if route.own is not None:
        ways.append({"oauth2": [route.own]})
    return [{"cartToken": []}, *ways] if route.guest else ways


def _problems(route: Route) -> dict[str, Any]:
    by_status: dict[int, list[type[Exception]]] = {}
    for error in _errors(route):
        by_status.setdefault(status_of(error), []).append(error)
    waits = {_TOO_MANY: ("Retry-After", *_LEFT), _BUSY: ("Retry-After",)}
    return {
        str(status): {
            "description": _REASONS.get(status, "A problem"),
            "headers": _headers("X-Request-Id", *waits.get(status, ())),
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {slug_of(e): _example(e, status) for e in errors},
                }
            },
        }
        for status, errors in sorted(by_status.items())
    }


def _errors(route: Route) -> Iterable[type[Exception]]:
    """Every error a client of *route* may meet, once each."""
    found: list[type[Exception]] = list(route.raises)
    if route.path.startswith("/v1/"):
        found += [InvalidCredentials, MalformedRequest, InvalidRequest]
        found += [DatabaseUnavailable, DatabaseBusy, RuntimeError]
        found += [TimeoutMalformed, NotEnoughTime, DeadlineExceeded]
        found += [CommitUnclear] * (route.method != "GET")
    if route.priority is not Priority.EXEMPT:
        found += [Overloaded]
    if route.priority is not Priority.EXEMPT or not route.public:
        # From one address it can be too many of anything but questions of health.
        found += [QuotaExceeded]
    if route.scope is not None:
        found += [CredentialsMissing, MissingScope]
    if binding.said_of_body(route) is not None:
        found += [UnsupportedMediaType, BodyTooLarge]
    if route.takes_key is not None:
        found += [IdempotencyKeyMalformed, IdempotencyKeyReused]
        found += [IdempotencyKeyInProgress]
        if route.claims != "explicit":
            found += [IdempotentAnswerNotKept]
        if route.public or route.secret_answer:
            found += [IdempotencyKeyGuessable]
    if route.takes_key == "required":
        found += [IdempotencyKeyMissing]
    return dict.fromkeys(found)


def _example(error: type[Exception], status: int) -> dict[str, Any]:
    return {
        "value": {
            "type": f"/problems/{slug_of(error)}",
            "title": title_of(error),
            "status": status,
            "instance": "/requests/01a20592-6c97-7ba1-9b7c-dc4a6a093c19",
        }
    }
