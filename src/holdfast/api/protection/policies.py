"""Which limits there are, for whom, and how strict they are at this moment.

A policy is a bucket of units: so many flow in a second, so many can be taken at once,
and a request takes what its route costs. What is built in is the table below; the
settings change numbers for a deployment, operators change them while the shop runs, and
add policies for a plan or a client of their own.

A caller meets the policies of their client if there are any, else those of their plan,
else those of what they are. All of these count the same caller: every one of them pays,
or none does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec
import structlog

from holdfast.platform.rates import DEFAULTS, EVERY, Rate
from holdfast.resilience.rate import Quota

POLICY_CONTROL = "rate.policy."
PLAN_CONTROL = "rate.plan."

MOST_POLICIES = 50
"""Of a shop's own: each is a label in the metrics."""
Counted = Literal["process", "shop"]
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Policy:
    """One limit."""

    name: str
    applies_to: str
    """In words."""
    rate: Rate
    counted: Counted = "shop"
    """By each process for itself, or by all together."""
    strict: bool = False
    """Guards credentials: never relaxed when Redis is gone, never shadowed."""
    plan: str | None = None
    client_id: str | None = None
    enabled: bool = True
    shadow: bool = False
    """Counted and told in the metrics, refused nobody."""

    @property
    def quota(self) -> Quota:
        return self.rate.quota(self.name, strict=self.strict)


def _built_in(name: str, applies_to: str, **different: Any) -> Policy:
    return Policy(name, applies_to, DEFAULTS[name], **different)


BUILT_IN: tuple[Policy, ...] = (
    _built_in(
        "address",
        "every request from one address (IPv6: /64), whatever it costs",
        counted="process",
    ),
    _built_in("browsing", "what guests read, by address", counted="process"),
    _built_in("guest", "what guests change and order, by address"),
    _built_in("cart", "what is done with one cart's token", counted="process"),
    _built_in("customer", "customers, by account"),
    _built_in("customer-daily", "customers, by account"),
    _built_in("staff", "people with a role in the shop, by account"),
    _built_in("service", "OAuth clients on their own behalf"),
    _built_in("key", "API keys"),
    _built_in("partner", "clients and keys on the plan", plan="partner"),
    _built_in("partner-daily", "clients and keys on the plan", plan="partner"),
    _built_in(
        "credentials",
        "attempts at one account from one address: sign-in, sign-up, resets",
        strict=True,
    ),
    _built_in(
        "credentials-address",
        "attempts at any account from one address, codes and links included",
        strict=True,
    ),
    _built_in(
        "token",
        "requests for tokens from one address; a refused one counts tenfold",
        strict=True,
    ),
)
"""What there is without anybody saying so."""

NAMES = frozenset(DEFAULTS)
_ROLES: Mapping[str, tuple[str, ...]] = {
    "customer": ("customer", "customer-daily"),
    "staff": ("staff",),
    "service": ("service",),
    "key": ("key",),
}


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What operators have said about a policy, as a control keeps it."""

    tokens: int
    period_seconds: int
    burst: int
    enabled: bool = True
    shadow: bool = False
    plan: str | None = None
    client_id: str | None = None


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On which plan somebody is, as a control keeps it."""

    plan: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """The quotas that one request meets, as they are asked."""

    enforced: tuple[Quota, ...] = ()
    shadowed: tuple[Quota, ...] = ()
    only: Quota | None = None
    """The quota, where there is one and nothing else."""

    def __bool__(self) -> bool:
        return bool(self.enforced or self.shadowed)

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> "Bundle":
        live = [policy for policy in policies if policy.enabled]
        enforced = tuple(policy.quota for policy in live if not policy.shadow)
        shadowed = tuple(policy.quota for policy in live if policy.shadow)
        is_one = len(enforced) == 1 and not shadowed
        return cls(enforced, shadowed, enforced[0] if is_one else None)


class Policies:
    """Every policy as it is now; what operators change is taken over at once."""

    def __init__(self, rates: Mapping[str, Rate | None] | None = None) -> None:
        self.defaults = {p.name: p for p in _as_set(rates or {})}
        self.by_name = dict(self.defaults)
        self._plan_of: dict[str, str] = {}
        self._rebuild()

    def take_over(self, said: Mapping[str, Any]) -> None:
        """What operators have said, by the names of policies; the rest is default."""
        found = dict(self.defaults)
        for name, value in sorted(said.items()):
            try:
                policy = self.changed(name, msgspec.convert(value, Setting))
                found[policy.quota.name] = policy
            except (msgspec.ValidationError, ValueError):
                # Whoever can write the table could stop every process otherwise.
                _log.warning("rate_policy_not_understood", policy=name)
        self.by_name = found
        self._rebuild()

    def assign(self, said: Mapping[str, Any]) -> None:
        """On which plan clients and keys are, by ``client.<id>`` and ``key.<id>``."""
        found = {}
        for holder, value in said.items():
            try:
                found[holder] = msgspec.convert(value, Plan).plan
            except msgspec.ValidationError:
                _log.warning("rate_plan_not_understood", holder=holder)
        self._plan_of = found

    def changed(self, name: str, said: Setting) -> Policy:
        """The policy *name* as *said* makes it."""
        rate = Rate(said.tokens, said.period_seconds, said.burst)
        built_in = self.defaults.get(name)
        if built_in is not None:
            return replace(
                built_in,
                rate=rate,
                enabled=said.enabled,
                shadow=said.shadow and not built_in.strict,
            )
        return Policy(
            name,
            f"callers on the plan {said.plan}"
            if said.plan is not None
            else f"callers by the client {said.client_id}",
            rate,
            plan=said.plan,
            client_id=said.client_id,
            enabled=said.enabled,
            shadow=said.shadow,
        )

    @property
    def plans(self) -> Mapping[str, tuple[str, ...]]:
        """The plans that have a policy, and which."""
        found: dict[str, tuple[str, ...]] = {}
        for policy in self.by_name.values():
            if policy.plan is not None:
                found[policy.plan] = (*found.get(policy.plan, ()), policy.name)
        return found

    @property
    def holders(self) -> Mapping[str, str]:
        """Who is on a plan, and on which."""
        return self._plan_of

    def named(self, name: str) -> Bundle:
        """One built-in policy alone."""
        return self._named[name]

    def of(self, role: str, *, client_id: str | None, holder: str) -> Bundle:
        """What a caller meets who is known by name."""
        # One that is switched off is no limit, and not a reason for another one.
        if client_id is not None and client_id in self._clients:
            return self._clients[client_id]
        plan = self._plan_of.get(holder)
        if plan is not None and plan in self._plans:
            return self._plans[plan]
        return self._roles[role]

    def _rebuild(self) -> None:
        live = self.by_name
        self._named = {name: Bundle.of([live[name]]) for name in NAMES}
        self._roles = {
            role: Bundle.of(live[name] for name in names)
            for role, names in _ROLES.items()
        }
        self._plans = {
            plan: Bundle.of(p for p in live.values() if p.plan == plan)
            for plan in sorted({p.plan for p in live.values() if p.plan})
        }
        self._clients = {
            client: Bundle.of(p for p in live.values() if p.client_id == client)
            for client in sorted({p.client_id for p in live.values() if p.client_id})
        }


def _as_set(rates: Mapping[str, Rate | None]) -> list[Policy]:
    """The built-in policies with the numbers of the settings."""
    found = []
    for policy in BUILT_IN:
        rate = rates.get(policy.name, rates.get(EVERY, policy.rate))
        if rate is None:
            found.append(replace(policy, enabled=False))
        else:
            found.append(replace(policy, rate=rate))
    return found
