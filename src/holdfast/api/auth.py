"""Who sent the request, and whether the route lets them in.

A bearer token is an operator's key, the token of a cart, or an access token. Each is
judged by its shape before anybody looks it up: no credentials, or made-up ones, are
refused without a query. A key that was found is remembered for five seconds, which is
how long a revoked one may live on; one that was not found is remembered as long, so
that repeating it costs nothing either. Access tokens: see ``tokens``.
"""

from collections.abc import Awaitable
from uuid import UUID

from holdfast.api.binding import origin_of
from holdfast.api.key_uses import KeyUses
from holdfast.api.policy import Route
from holdfast.api.problems import CredentialsMissing, InvalidCredentials, MissingScope
from holdfast.api.refused import RefusedCredentials
from holdfast.api.tokens import Tokens
from holdfast.domain import identity
from holdfast.domain.identity import Anonymous, Caller, Guest, Operator
from holdfast.kernel import tokens
from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.platform.db import Connection
from holdfast.resilience.asgi import App, Receive, Scope, Send
from holdfast.workflows.refused import Refused

REMEMBERED_SECONDS = 5.0
_MAX_REMEMBERED = 10_000
_DOTS_OF_JWT = 2
_ANONYMOUS = Anonymous()


class Keys:
    """API keys by token, as remembered by this process."""

    def __init__(
        self,
        db: Connection,
        *,
        limit: int = _MAX_REMEMBERED,
        timer: Monotonic = monotonic,
    ) -> None:
        self._db = db
        self._limit = limit
        self._timer = timer
        self._known: dict[bytes, tuple[float, Operator | None, UUID | None]] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def find(self, token: str) -> Operator | None:
        """Whose key *token* is; None if nobody's, or no longer."""
        digest = tokens.fingerprint(token)
        known = self._known.get(digest)
        now = self._timer()
        if known is not None and known[0] > now:
            return known[1]
        operator, revoked = await identity.look_up(self._db, digest)
        if len(self._known) >= self._limit:
            # Rather forget all than let a flood of tokens grow without bound.
            self._known.clear()
        self._known[digest] = (now + REMEMBERED_SECONDS, operator, revoked)
        return operator

    def revoked(self, token: str) -> UUID | None:
        """Which key *token* was, if it was revoked; to be asked after ``find``."""
        known = self._known.get(tokens.fingerprint(token))
        return None if known is None else known[2]


class Authenticate:
    """Put the caller into the scope, or refuse what the route does not allow."""

    def __init__(
        self,
        app: App,
        *,
        keys: Keys,
        tokens: Tokens,
        uses: KeyUses,
        refused: RefusedCredentials,
    ) -> None:
        self._app = app
        self._keys = keys
        self._tokens = tokens
        self._uses = uses
        self._refused = refused

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        credentials = None
        route: Route = scope["holdfast.route"]
        for name, value in scope["headers"]:
            # Where clients bring credentials of their own, they are read there.
            if name == b"authorization" and not route.client_credentials:
                if credentials is not None:
                    # Two parties that pick one each would see two callers.
                    raise InvalidCredentials
                credentials = value
        if credentials is not None:
            return self._identified(credentials, scope, receive, send)
        scope["holdfast.caller"] = _ANONYMOUS
        if not route.public:
            _admit(_ANONYMOUS, route)
        return self._app(scope, receive, send)

    async def _identified(
        self, credentials: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass on a request of whoever these credentials belong to."""
        caller = await self._identify(credentials, scope)
        if isinstance(caller, Operator):
            self._uses.note(caller, scope)
        scope["holdfast.caller"] = caller
        route: Route = scope["holdfast.route"]
        if not route.public:
            _admit(caller, route)
        await self._app(scope, receive, send)

    async def _identify(self, credentials: bytes, scope: Scope) -> Caller:
        scheme, _, token = credentials.decode("latin-1").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer":
            raise InvalidCredentials
        if tokens.plausible(token, tokens.CART):
            return Guest(tokens.fingerprint(token))
        if tokens.plausible(token, tokens.API_KEY):
            operator = await self._keys.find(token)
            if operator is not None:
                return operator
            revoked = self._keys.revoked(token)
            self._refused.note(Refused.api_key(revoked), origin_of(scope))
        if token.count(".") == _DOTS_OF_JWT:
            member = await self._tokens.find(token)
            if member is not None:
                return member
        raise InvalidCredentials


def _admit(caller: Caller, route: Route) -> None:
    scope = route.scope or ""
    if identity.may(caller, scope):
        if route.also is not None and not identity.may(caller, route.also):
            raise MissingScope(route.also)
        return
    if route.guest and isinstance(caller, Guest):
        return
    if route.own is not None and identity.may(caller, route.own):
        return
    if isinstance(caller, Anonymous):
        raise CredentialsMissing
    raise MissingScope(scope)
