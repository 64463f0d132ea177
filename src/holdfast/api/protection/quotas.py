"""Who asks too much is told so, and when to come again.

Two layers. The first counts every request by its address, in this process and before
anything is known of it: a flood from one place ends here, whatever it asks for. The
second counts what a request costs, after it is known who calls:

- guests by address, for a cart's token costs nothing to make up: what they read is
  counted in this process, what they change in Redis, for all processes together;
- everybody else by account, key or client, in Redis;
- attempts at credentials by address and, where it is known, by the account, in Redis
  (see ``credentials``).

A policy in shadow is counted beside the others and refuses nobody. What is switched off
is not looked at.
"""

from collections.abc import Collection
from dataclasses import dataclass

from holdfast.api.policy import Priority, Route
from holdfast.api.protection.addresses import site_of
from holdfast.api.protection.metrics_rate import RateMetrics
from holdfast.api.protection.policies import Bundle, Policies
from holdfast.domain.identity import (
    KEY_SCOPES,
    Anonymous,
    Caller,
    Guest,
    Member,
    Operator,
    Service,
)
from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.platform.vault import Vault
from holdfast.resilience.asgi import App, Message, Receive, Scope, Send
from holdfast.resilience.asgi.rate_limit import is_shared_cacheable
from holdfast.resilience.errors import QuotaExceeded
from holdfast.resilience.rate import Limiter, MemoryLimiter, Quota, Standing, Verdict
from holdfast.resilience.rate.fields import any_below_half, fields, retry_after

_ANY = "any"
_SUBJECT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Who:
    """A caller as the limits know them, and which of them apply."""

    role: str
    subject: str
    """Whose buckets they are."""
    bundle: Bundle
    here: bool = False
    """Counted in this process alone."""


class Quotas:
    """All buckets that this process takes from."""

    def __init__(
        self,
        policies: Policies,
        *,
        vault: Vault,
        metrics: RateMetrics,
        store: Limiter | None = None,
        timer: Monotonic = monotonic,
    ) -> None:
        """Without a *store* everything is counted in this process."""
        self.policies = policies
        self._vault = vault
        self._metrics = metrics
        self._here = MemoryLimiter(timer=timer)
        self._store: Limiter = store or self._here
        self._has_store = store is not None
        self._timer = timer

    def flooding(self, address: str | None) -> QuotaExceeded | None:
        """Count a request from *address*; the refusal, if there were too many.

        For whoever stands before the layers, too: it takes 3 us and asks nobody.
        """
        who = Who(_ANY, site_of(address), self.policies.named("address"), here=True)
        try:
            self._take_here(who, 1, _ANY, None)
        except QuotaExceeded as refusal:
            return refusal
        return None

    async def take(
        self, who: Who, cost: int, kind: str = _ANY, scope: Scope | None = None
    ) -> tuple[Standing, ...]:
        """Take *cost* units of everything that *who* has, or raise ``QuotaExceeded``.

        Returns what is left. A *cost* of 0 takes nothing.
        """
        if who.here:
            return self._take_here(who, cost, kind, scope)
        bundle = who.bundle
        standings: tuple[Standing, ...] = ()
        if bundle.enforced:
            verdict = await self._ask(who.subject, bundle.enforced, cost)
            if cost:
                fallback = self._has_store and verdict.source == "local"
                self._metrics.decided(verdict, who.role, kind, fallback=fallback)
            standings = _judged(verdict, scope)
        if bundle.shadowed and cost:
            verdict = await self._ask(who.subject, bundle.shadowed, cost)
            self._shadow(verdict, who, kind, scope)
        return standings

    def guest(self, address: str | None, *, reads: bool) -> Who:
        """Somebody nobody knows: an address."""
        site = site_of(address)
        if reads:
            return Who("guest", site, self.policies.named("browsing"), here=True)
        return Who("guest", f"guest:{self.sealed(site)}", self.policies.named("guest"))

    def cart(self, guest: Guest) -> Who:
        """Whoever holds a cart's token, beside their address."""
        subject = f"cart:{guest.token_hash.hex()}"
        return Who("guest", subject, self.policies.named("cart"), here=True)

    def known(self, caller: Caller) -> Who:
        """A caller with a name of their own."""
        match caller:
            case Operator(key_id=key):
                role, client = "key", None
                subject, holder = f"key:{key}", f"key.{key}"
            case Member(account_id=account, client_id=client, scopes=scopes):
                # A person of the shop who shops is a customer: the token says which.
                role = "customer" if scopes.isdisjoint(KEY_SCOPES) else "staff"
                subject, holder = f"account:{account}", ""
            case Service(client_id=client):
                role = "service"
                subject, holder = f"client:{client}", f"client.{client}"
            case _:
                raise TypeError(f"{caller.actor} is known by address only")
        bundle = self.policies.of(role, client_id=client, holder=holder)
        return Who(role, subject, bundle)

    def sealed(self, said: str) -> str:
        """An address, or more, as it may be written where it outlives the request."""
        return self._vault.index(said, purpose="rate")[:_SUBJECT_BYTES].hex()

    async def _ask(self, subject: str, quotas: tuple[Quota, ...], cost: int) -> Verdict:
        started = self._timer()
        verdict = await self._store.take(subject, quotas, cost)
        self._metrics.took(verdict, self._timer() - started)
        return verdict

    def _take_here(
        self, who: Who, cost: int, kind: str, scope: Scope | None
    ) -> tuple[Standing, ...]:
        bundle = who.bundle
        standings: tuple[Standing, ...] = ()
        if bundle.enforced:
            verdict = self._here.take_now(who.subject, bundle.enforced, cost)
            if cost:
                self._metrics.decided(verdict, who.role, kind, fallback=False)
            standings = _judged(verdict, scope)
        if bundle.shadowed and cost:
            verdict = self._here.take_now(who.subject, bundle.shadowed, cost)
            self._shadow(verdict, who, kind, scope)
        return standings

    def _shadow(
        self, verdict: Verdict, who: Who, kind: str, scope: Scope | None
    ) -> None:
        self._metrics.shadowed(verdict, who.role, kind)
        if scope is not None:
            _decide(scope, verdict, "shadow-denied")


class AddressLimit:
    """Refuse floods from one address, before anybody looks what they want."""

    def __init__(self, app: App, *, quotas: Quotas, exempt: Collection[str]) -> None:
        """Say on which paths nothing is refused: those that health is asked at."""
        self._app = app
        self._quotas = quotas
        self._exempt = frozenset(exempt)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in self._exempt:
            refusal = self._quotas.flooding(scope["holdfast.client_address"])
            if refusal is not None:
                _note(scope, refusal.policies, "denied")
                raise refusal
        await self._app(scope, receive, send)


class CallerLimit:
    """Take what the route costs from whoever calls, and say what is left."""

    def __init__(self, app: App, *, quotas: Quotas) -> None:
        self._app = app
        self._quotas = quotas

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: Route = scope["holdfast.route"]
        if route.cost == 0 or route.priority is Priority.EXEMPT:
            await self._app(scope, receive, send)
            return
        caller: Caller = scope["holdfast.caller"]
        standings: tuple[Standing, ...] = ()
        is_guest = isinstance(caller, Anonymous | Guest)
        if is_guest:
            address = scope["holdfast.client_address"]
            who = self._quotas.guest(address, reads=route.method == "GET")
            if isinstance(caller, Guest) and not who.here:
                cart = self._quotas.cart(caller)
                standings = await self._quotas.take(cart, route.cost, route.kind, scope)
        else:
            who = self._quotas.known(caller)
        standings += await self._quotas.take(who, route.cost, route.kind, scope)
        # Guests of a storefront never look; programs count on it.
        if standings and (not is_guest or any_below_half(standings)):
            send = telling(standings, scope, send)
        await self._app(scope, receive, send)


def telling(standings: tuple[Standing, ...], scope: Scope, send: Send) -> Send:
    """*send*, with what is left on every answer that is for one caller alone."""

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not is_shared_cacheable(scope, headers):
                message["headers"] = headers + fields(standings)
        await send(message)

    return tell


def _judged(verdict: Verdict, scope: Scope | None) -> tuple[Standing, ...]:
    if verdict.allowed:
        return verdict.standings
    if scope is not None:
        _decide(scope, verdict, "denied")
    wait = None if verdict.too_costly else retry_after(verdict.retry_seconds)
    raise QuotaExceeded(
        wait,
        policies=verdict.violated,
        standings=verdict.standings,
        too_costly=verdict.too_costly,
    )


def _decide(scope: Scope, verdict: Verdict, outcome: str) -> None:
    _note(scope, verdict.violated, outcome)


def _note(scope: Scope, policies: Collection[str], outcome: str) -> None:
    for policy in policies:
        decisions = scope.setdefault("holdfast.decisions", [])
        decisions.append(f"rate:{policy}={outcome}")
