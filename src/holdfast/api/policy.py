"""What a route promises and demands, written beside its path.

One line of the routes table says who may call, what a call costs, what is shed
first under load, whether the request can be repeated safely, and which problems
to expect. A route that leaves a question open is refused at the start.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from holdfast.domain.identity import PERSONAL_SCOPES, SCOPES
from holdfast.kernel.errors import DomainError

PARAMETER = re.compile(r"\{(\w+)(?::(str|uuid))?\}")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_STATUS_BY_METHOD = {"POST": 201, "DELETE": 204}


class BadRoutes(ValueError):
    """The routes table leaves something open; the message lists every gap."""


Asks: TypeAlias = Literal["payment", "carrier", "openid"]
"""Services that are not ours, whose patience is in the settings."""

Kind: TypeAlias = Literal["read", "write", "checkout", "report", "upload"]
"""What is served alike, and so is limited together: one limiter of concurrency each."""


Claims: TypeAlias = Literal["joined", "late", "leased", "explicit"]
"""How an Idempotency-Key is claimed, beside what the request does:

- ``joined``: all that the handler does in the database is one transaction, which
  claims the key as it begins and keeps the answer as it ends.
- ``late``: the same, but begun with the first write; the key is looked up before. For
  handlers that hash a password or ask somebody outside before they write.
- ``leased``: claimed before the handler and answered after it, with a lease. For work
  that may be begun again by whoever takes over: asking twice does nothing more.
- ``explicit``: the handler claims the key itself, in the transaction of its effect, and
  knows where to go on when somebody died halfway.
"""


HASHING_COST = 20
"""What a request costs for which a password is hashed, and no other does."""


class Priority(IntEnum):
    """What is served first when not everything can be; lower is more urgent.

    What continues work that somebody has put in stands above what begins some.
    """

    EXEMPT = -1
    """Health, metrics and the operators' controls of the protection: never shed."""
    PAY = 0
    """What payment providers and carriers tell, the end of a checkout, fresh tokens for
    one, and the revoking of what an attacker holds."""
    BUY = 1
    """The way from a full cart to an order: holds, what a checkout reads, sign-in."""
    BROWSE = 2
    """Looking and choosing: products, search, the lines of a cart, one's account."""
    OPERATE = 3
    """What people of the shop do, who can wait and repeat; extras; documentation."""
    BULK = 4
    """Exports, imports and whatever else nobody waits for."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method on one path, the function that answers, and its policy."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    _: KW_ONLY
    cost: int
    """How much of a caller's share one call uses: 1 to read a thing, 2 a page of a
    list, 5 to search or change, 10 to hold, order or ask a provider, 20 where a
    password is hashed, 50 for all of something. 0 is not counted by caller."""
    priority: Priority
    guesses: Literal["credentials", "token"] | None = None
    """Whether secrets can be tried here: then attempts are limited, not the cost."""
    of_kind: Kind | None = None
    """What it is limited with, where that is not to be seen from the rest."""
    seconds: float = 10.0
    """Its whole budget of time, from the edge; a client may ask for less."""
    asks: Asks | None = None
    """Whom it asks while its client waits: its budget is made to suffice for them."""
    public: bool = False
    """Anybody may call, with or without credentials."""
    scope: str | None = None
    """The scope a caller needs."""
    also: str | None = None
    """Another that is needed besides, where more than one thing is written."""
    own: str | None = None
    """A scope that will do as well, for what is the caller's own; whose it is, the
    handler checks, and says 404 for what is another's."""
    guest: bool = False
    """A cart token will do as well; whose cart it is, the handler checks."""
    client_credentials: bool = False
    """The Authorization header holds a client's id and secret, which the handler
    checks: nobody is told who calls."""
    idempotent: Literal["optional", "required"] | None = None
    """Whether an Idempotency-Key may be sent or has to be; see ``takes_key``."""
    claims: Claims = "joined"
    """How a key is claimed."""
    secret_answer: bool = False
    """The answer holds what opens something: it is kept under the key itself, which
    then must be hard to guess."""
    unkeyed: str | None = None
    """Why an unsafe route looks at no key."""
    raises: tuple[type[DomainError], ...] = ()
    """The errors of its own that a client should expect, for the documentation."""
    body_limit_bytes: int | None = None
    """The most its body may hold, where that is a file: then the handler reads it from
    ``request`` as it comes, and a key stands for what the handler says it does."""
    form: type | None = None
    """What the form holds that its body is, for the documentation; the handler reads it
    from ``request``."""
    status: int | None = None
    """Status of a success; by default 201 for POST, 204 for DELETE, else 200."""
    others: tuple[int, ...] = ()
    """Other statuses of a success, as 202 beside 201 where the outcome may be open."""
    documented: bool = True
    """Whether the OpenAPI document mentions it."""

    @property
    def success_status(self) -> int:
        return self.status or _STATUS_BY_METHOD.get(self.method, 200)

    @property
    def takes_key(self) -> Literal["optional", "required"] | None:
        """Whether an Idempotency-Key may be sent, or must; by default, it may."""
        if self.method == "GET" or self.unkeyed is not None:
            return None
        if self.idempotent is None and self.path.startswith("/v1/"):
            return "optional"
        return self.idempotent

    @property
    def lines_up(self) -> bool:
        """Whether it stands in line for the hashing of a password.

        That line is bounded by itself and as long as it is: requests in it are no sign
        that the shop is pressed.
        """
        return self.cost == HASHING_COST

    @property
    def kind(self) -> Kind:
        """What it is limited with: requests that take about as long as it."""
        if self.of_kind is not None:
            return self.of_kind
        if self.priority is Priority.BULK:
            return "report"
        return "read" if self.method == "GET" else "write"

    @property
    def parameters(self) -> dict[str, str]:
        """The path's parameters and their kinds, ``str`` or ``uuid``."""
        return {m[1]: m[2] or "str" for m in PARAMETER.finditer(self.path)}

    @property
    def gaps(self) -> list[str]:
        """What the policy leaves open or contradicts."""
        name = f"{self.method} {self.path}"
        everybody = self.scope is not None
        wrong = (
            (
                self.method not in _METHODS,
                f"the method is not one of {', '.join(_METHODS)}",
            ),
            (not self.path.startswith("/"), "the path does not start with /"),
            (self.public == everybody, "say either public=True or scope=..."),
            (
                everybody and self.scope not in SCOPES,
                f"there is no scope {self.scope!r}",
            ),
            (
                self.also is not None and self.also not in SCOPES,
                f"there is no scope {self.also!r}",
            ),
            (
                self.also is not None
                and (not everybody or self.own is not None or self.guest),
                "also=... needs a scope, and nothing that will do as well",
            ),
            (
                self.own is not None and self.own not in PERSONAL_SCOPES,
                f"{self.own!r} is not a scope about oneself",
            ),
            (
                self.own is not None and not everybody,
                "own=... needs a scope for everybody else",
            ),
            (
                self.guest and not everybody,
                "guest=True needs a scope for everybody else",
            ),
            (
                self.client_credentials and not self.public,
                "client_credentials=True needs public=True",
            ),
            (self.cost < 0, "cost must be at least 0"),
            (self.seconds <= 0, "seconds must be more than 0"),
            (
                self.idempotent is not None and self.method == "GET",
                "a GET is idempotent by itself",
            ),
            (
                self.unkeyed is not None and self.idempotent is not None,
                "idempotent=... contradicts unkeyed=...",
            ),
        )
        found = [f"{name}: {gap}" for is_wrong, gap in wrong if is_wrong]
        taken = inspect.signature(self.handler).parameters
        found += [
            f"{name}: the handler does not take {parameter!r}"
            for parameter in self.parameters
            if parameter not in taken
        ]
        return found


def check(routes: Iterable[Route]) -> None:
    """Refuse a table with a gap; ``BadRoutes`` names all of them at once."""
    if gaps := _gaps_in(tuple(routes)):
        raise BadRoutes("; ".join(gaps))


# Who assembles many applications, as tests do, asks about the same table each time.
@lru_cache(maxsize=16)
def _gaps_in(routes: tuple[Route, ...]) -> list[str]:
    gaps: list[str] = []
    seen: set[tuple[str, str]] = set()
    for route in routes:
        gaps += route.gaps
        # Two paths that differ only in the names of parameters are the same.
        shape = (route.method, PARAMETER.sub("{}", route.path))
        if shape in seen:
            gaps.append(f"{route.method} {route.path}: listed twice")
        seen.add(shape)
    return gaps
