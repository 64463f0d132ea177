"""What a request passes on its way in, outermost first. This list is the truth.

| layer         | why here                                                         |
|---------------|------------------------------------------------------------------|
| Doorstep      | in the connection: turns away without making a request of it     |
| Telemetry     | sees everything, refusals included                               |
| ClientAddress | where it comes from: what is refused is logged with it, too      |
| Cors          | around refusals, or a page could not read them; only where set   |
| Rejection     | turns whatever is raised below into a problem document           |
| AddressLimit  | stops a flood from one address, wherever it leads                |
| Match         | finds the route once: layers below read its policy               |
| Deadline      | its time has begun; whatever waits or works below spends it      |
| Threshold     | sheds what matters least, before it costs anything               |
| BodyLimit     | before anyone reads a body                                       |
| Authenticate  | who it is, and whether the route lets them in                    |
| CallerLimit   | takes what the route costs from whoever calls                    |
| LoadShed      | as many at once as can be served in time; others wait, or go     |
| dispatch      | arguments, handler, response                                     |
"""

from collections.abc import Callable, Sequence
from functools import partial

from holdfast.api import sessions
from holdfast.api.access import Telemetry
from holdfast.api.auth import Authenticate, Keys
from holdfast.api.binding import endpoint_of
from holdfast.api.doorstep import Doorstep
from holdfast.api.hosted.errors import render
from holdfast.api.match import Match, Router
from holdfast.api.policy import Priority, Route, check
from holdfast.api.protection.addresses import Addresses, ClientAddress
from holdfast.api.protection.answers import Replies
from holdfast.api.protection.cors import Cors, Origins
from holdfast.api.protection.deadlines import allowances
from holdfast.api.protection.flood import Flood
from holdfast.api.protection.gate import Gate
from holdfast.api.protection.rate_layers import AddressLimit, CallerLimit
from holdfast.api.protection.threshold import Threshold, claims
from holdfast.api.shop import Shop
from holdfast.api.tokens import Tokens
from holdfast.platform import decisions
from holdfast.resilience.asgi import (
    App,
    BodyLimit,
    Layer,
    LoadShed,
    Receive,
    Rejection,
    RequestDeadline,
    Scope,
    Send,
    stack,
)


def layers(routes: Sequence[Route], shop: Shop) -> list[Layer]:
    """The layers around dispatch, in the order a request meets them."""
    access_tokens = Tokens(
        shop.db, shop.keyring, issuer=shop.settings.public_url, clock=shop.clock
    )
    origins = shop.settings.cors_origins
    by_address: list[Layer] = []
    by_caller: list[Layer] = []
    if shop.settings.protection == "on":
        exempt = _health(routes)
        by_address = [partial(AddressLimit, quotas=shop.quotas, exempt=exempt)]
        by_caller = [partial(CallerLimit, quotas=shop.quotas)]
    return [
        partial(
            Telemetry,
            metrics=shop.metrics,
            log=shop.access_log,
            listen=shop.load.metrics.answered if shop.load.is_on else None,
            clock=shop.clock,
        ),
        partial(ClientAddress, addresses=Addresses(shop.settings.trusted_proxies)),
        *([partial(Cors, origins=Origins(origins))] if origins else []),
        partial(Rejection, render=render),
        *by_address,
        partial(Match, router=Router(routes)),
        *_deadline(routes, shop),
        *_threshold(shop),
        partial(BodyLimit, limit_bytes=_body_limit(shop)),
        partial(
            Authenticate,
            keys=Keys(shop.db),
            tokens=access_tokens,
            uses=shop.key_uses,
            refused=shop.refused,
        ),
        *by_caller,
        *_load_shed(routes, shop),
    ]


def _body_limit(shop: Shop) -> Callable[[Scope], int]:
    """What the route says, or else what the settings do."""
    usual = shop.settings.body_limit_bytes

    def find(scope: Scope) -> int:
        route: Route = scope["holdfast.route"]
        said = route.body_limit_bytes
        return usual if said is None else said

    return find


def _health(routes: Sequence[Route]) -> list[str]:
    """Where health is asked for: nobody is refused there."""
    return [r.path for r in routes if r.public and r.priority is Priority.EXEMPT]


def _deadline(routes: Sequence[Route], shop: Shop) -> list[Layer]:
    if shop.settings.protection != "on":
        return []
    return [
        partial(
            RequestDeadline,
            allowance=allowances(routes, shop.settings),
            render=render,
            effects_are_told=True,
            listen=shop.deadlines.count,
        )
    ]


def _threshold(shop: Shop) -> list[Layer]:
    if not shop.load.is_on:
        return []
    return [partial(Threshold, load=shop.load, replies=Replies())]


def _load_shed(routes: Sequence[Route], shop: Shop) -> list[Layer]:
    if not shop.load.is_on:
        return []
    return [partial(LoadShed, classify=claims(routes), limiters=shop.load.limiters)]


def doorstep(shop: Shop) -> Doorstep:
    """What is turned away before any of the layers."""
    addresses = Addresses(shop.settings.trusted_proxies)
    allowed = shop.settings.cors_origins
    flood, gate = None, None
    if shop.settings.protection == "on":
        flood = Flood(shop.quotas, exempt=_health(shop.routes))
    if shop.load.is_on:
        gate = Gate(shop.load, Router(shop.routes))
    return Doorstep(
        [sessions.rush(shop)],
        metrics=shop.metrics,
        log=shop.access_log,
        addresses=addresses,
        flood=flood,
        gate=gate,
        origins=Origins(allowed) if allowed else None,
        clock=shop.clock,
    )


def dispatch(routes: Sequence[Route], shop: Shop) -> App:
    """The end of the stack: call the handler of the route that was found."""
    endpoints = {id(route): endpoint_of(route).within(shop) for route in routes}

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        token = decisions.begin(scope)
        try:
            await endpoints[id(scope["holdfast.route"])](scope, receive, send)
        finally:
            decisions.end(token)

    return call


def assemble(routes: Sequence[Route], shop: Shop) -> App:
    """The whole application over an open shop; ``BadRoutes`` if a policy lacks."""
    check(routes)
    shop.routes = tuple(routes)
    return stack(dispatch(routes, shop), *layers(routes, shop))
