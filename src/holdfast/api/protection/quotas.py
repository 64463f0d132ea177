"""Who asks too much is told so, and when to come again.

Everything that is counted in one process, or by it. Two layers ask (``rate_layers``).
The first counts every request by its address, in this process and before
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

from collections.abc import Iterable
from typing import NamedTuple

from holdfast.api.protection.metrics_rate import RateMetrics
from holdfast.api.protection.policies import Bundle, Policies
from holdfast.domain.identity import (
    KEY_SCOPES,
    Caller,
    Guest,
    Member,
    Operator,
    Service,
)
from holdfast.kernel.clock import Monotonic, monotonic
from holdfast.platform.proxies import site_of
from holdfast.platform.vault import Vault
from holdfast.resilience.asgi import Scope
from holdfast.resilience.errors import QuotaExceeded
from holdfast.resilience.rate import Limiter, MemoryLimiter, Quota, Standing, Verdict
from holdfast.resilience.rate.fields import retry_after

_ANY = "any"
_SUBJECT_BYTES = 16


class Who(NamedTuple):
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
        self._store: Limiter = self._here if store is None else store
        self._has_store = store is not None
        self._timer = timer

    def flooding(self, address: str | None) -> QuotaExceeded | None:
        """Count a request from *address*; the refusal, if there were too many.

        For whoever stands before the layers, too: it takes 2 us and asks nobody.
        """
        quota = self.policies.named("address").only
        if quota is not None:
            left = self._here.take_one(site_of(address), quota)
            if left is not None:
                self._metrics.allowed(quota.name, _ANY, _ANY)
                return None
        try:
            self.take_here(self.flood(address), 1)
        except QuotaExceeded as refusal:
            return refusal
        return None

    def browse(
        self, address: str | None, cost: int, kind: str, scope: Scope
    ) -> tuple[Standing, ...]:
        """``take_here`` for a guest who reads, which nearly everybody is."""
        site = site_of(address)
        bundle = self.policies.named("browsing")
        if (quota := bundle.only) is not None:
            left = self._here.take_one(site, quota, cost)
            if left is not None:
                self._metrics.allowed(quota.name, "guest", kind)
                if left * 2 >= quota.burst:
                    return ()
                # It has been taken; what is left is to be told.
                cost = 0
        who = Who("guest", site, bundle, here=True)
        return self.take_here(who, cost, kind, scope)

    async def take(
        self, who: Who, cost: int, kind: str = _ANY, scope: Scope | None = None
    ) -> tuple[Standing, ...]:
        """Take *cost* units of everything that *who* has, or raise ``QuotaExceeded``.

        Returns what is left. A *cost* of 0 takes nothing.
        """
        if who.here:
            return self.take_here(who, cost, kind, scope)
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

    def flood(self, address: str | None) -> Who:
        """An address, whatever comes from there."""
        return Who(_ANY, site_of(address), self.policies.named("address"), here=True)

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
        client: str | None = None
        match caller:
            case Operator():
                role, subject = "key", f"key:{caller.key_id}"
            case Member():
                # A person of the shop who shops is a customer: the token says which.
                role = "customer" if caller.scopes.isdisjoint(KEY_SCOPES) else "staff"
                subject, client = f"account:{caller.account_id}", caller.client_id
            case Service(client_id=client):
                role, subject = "service", f"client:{client}"
            case _:
                raise TypeError(f"{caller.actor} is known by address only")
        bundle = self.policies.of(role, client_id=client, holder=holder_of(caller))
        return Who(role, subject, bundle)

    def sealed(self, said: str) -> str:
        """An address, or more, as it may be written where it outlives the request."""
        return self._vault.index(said, purpose="rate")[:_SUBJECT_BYTES].hex()

    async def _ask(self, subject: str, quotas: tuple[Quota, ...], cost: int) -> Verdict:
        started = self._timer()
        verdict = await self._store.take(subject, quotas, cost)
        self._metrics.took(verdict, self._timer() - started)
        return verdict

    def take_here(
        self, who: Who, cost: int, kind: str = _ANY, scope: Scope | None = None
    ) -> tuple[Standing, ...]:
        """The same for what is counted in this process, without waiting.

        Where less than half is gone nothing is returned: nobody has to be told.
        """
        bundle = who.bundle
        standings: tuple[Standing, ...] = ()
        if cost and (quota := bundle.only) is not None:
            left = self._here.take_one(who.subject, quota, cost)
            if left is not None:
                self._metrics.allowed(quota.name, who.role, kind)
                if left * 2 >= quota.burst:
                    # Nobody has to be told.
                    return ()
                return self._here.take_now(who.subject, bundle.enforced, 0).standings
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
            note(scope, verdict.violated, "shadow_denied")


def holder_of(caller: Caller) -> str:
    """Under which name *caller* can be on a plan; empty for people."""
    match caller:
        case Operator(key_id=key):
            return f"key.{key}"
        case Service(client_id=client):
            return f"client.{client}"
        case _:
            return ""


def _judged(verdict: Verdict, scope: Scope | None) -> tuple[Standing, ...]:
    if verdict.allowed:
        return verdict.standings
    if scope is not None:
        word = "too_costly" if verdict.too_costly else "denied"
        note(scope, verdict.violated, word)
    wait = None if verdict.too_costly else retry_after(verdict.retry_seconds)
    raise QuotaExceeded(
        wait,
        policies=verdict.violated,
        standings=verdict.standings,
        too_costly=verdict.too_costly,
    )


def note(scope: Scope, policies: Iterable[str], outcome: str) -> None:
    """Write a decision down where those look who explain a request."""
    for policy in policies:
        decisions = scope.setdefault("holdfast.decisions", [])
        decisions.append(f"rate:{policy}={outcome}")
