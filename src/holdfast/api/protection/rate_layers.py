"""Where requests meet their limits: once by address, once by caller.

The first layer stands before everything that looks at a request, the second behind
whatever tells who calls. See ``quotas`` for what is counted, and where.
"""

from collections.abc import Awaitable, Collection

from holdfast.api.policy import Route
from holdfast.api.protection.credentials import asking_for_token, attempt_of
from holdfast.api.protection.quotas import Quotas, note
from holdfast.domain.identity import Anonymous, Caller, Guest
from holdfast.resilience.asgi import App, Message, Receive, Scope, Send
from holdfast.resilience.asgi.rate_limit import is_shared_cacheable
from holdfast.resilience.rate import Standing
from holdfast.resilience.rate.fields import any_below_half, fields

COUNTED = "holdfast.counted"
"""In the scope of a request whose address was counted at the door."""


# (A tuple: to look into a union takes three times as long.)
_GUESTS = (Anonymous, Guest)


class AddressLimit:
    """Refuse floods from one address, before anybody looks what they want."""

    def __init__(self, app: App, *, quotas: Quotas, exempt: Collection[str]) -> None:
        """Say on which paths nothing is refused: those that health is asked at."""
        self._app = app
        self._quotas = quotas
        self._exempt = frozenset(exempt)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if (
            scope["type"] == "http"
            and scope["path"] not in self._exempt
            and COUNTED not in scope
        ):
            refusal = self._quotas.flooding(scope["holdfast.client_address"])
            if refusal is not None:
                note(scope, refusal.policies, "denied")
                raise refusal
        return self._app(scope, receive, send)


class CallerLimit:
    """Take what the route costs from whoever calls, and say what is left."""

    def __init__(self, app: App, *, quotas: Quotas) -> None:
        self._app = app
        self._quotas = quotas

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        route: Route = scope["holdfast.route"]
        if route.cost == 0 or route.priority < 0:
            return self._app(scope, receive, send)
        caller: Caller = scope["holdfast.caller"]
        if (
            caller.__class__ is Anonymous
            and route.method == "GET"
            and route.guesses is None
        ):
            # Nearly everybody: counted in this process, so without waiting.
            address = scope["holdfast.client_address"]
            left = self._quotas.browse(address, route.cost, route.kind, scope)
            if left and any_below_half(left):
                send = telling(left, scope, send)
            return self._app(scope, receive, send)
        return self._ask(route, caller, scope, receive, send)

    async def _ask(
        self, route: Route, caller: Caller, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """The same for whoever has to be asked for elsewhere."""
        if route.guesses == "credentials":
            await attempt_of(self._quotas, caller, scope)
            await self._app(scope, receive, send)
            return
        if route.guesses == "token":
            send = await asking_for_token(self._quotas, scope, send)
            await self._app(scope, receive, send)
            return
        standings: tuple[Standing, ...] = ()
        is_guest = isinstance(caller, _GUESTS)
        if is_guest:
            address = scope["holdfast.client_address"]
            who = self._quotas.guest(address, reads=route.method == "GET")
            if isinstance(caller, Guest) and not who.here:
                cart = self._quotas.cart(caller)
                standings = self._quotas.take_here(cart, route.cost, route.kind, scope)
        else:
            who = self._quotas.known(caller)
        if who.here:
            standings = self._quotas.take_here(who, route.cost, route.kind, scope)
        else:
            standings += await self._quotas.take(who, route.cost, route.kind, scope)
        # Guests of a storefront never look; programs count on it.
        if standings and (not is_guest or any_below_half(standings)):
            send = telling(standings, scope, send)
        await self._app(scope, receive, send)


def telling(standings: tuple[Standing, ...], scope: Scope, send: Send) -> Send:
    """*send*, with what is left on every answer that is for one caller alone."""

    def tell(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not is_shared_cacheable(scope, headers):
                message["headers"] = headers + fields(standings)
        return send(message)

    return tell
