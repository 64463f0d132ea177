"""The shop's limits, and what operators make of them while it runs.

What is set holds in every process within a second, and is in the security record.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from holdfast.api.decoding import invalid_parameter
from holdfast.api.listing import Listing
from holdfast.api.protection.policies import (
    MOST_POLICIES,
    NAMES,
    POLICY_CONTROL,
    Policy,
    Setting,
)
from holdfast.api.shapes import invalid
from holdfast.api.shop import Shop
from holdfast.domain.identity import Caller, Origin
from holdfast.kernel.errors import Conflict, NotFound
from holdfast.platform import controls
from holdfast.platform.controls import Control
from holdfast.platform.rates import Rate
from holdfast.workflows.controls import ControlChanges

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
# What the dearest operation costs: a smaller bucket would refuse it for ever.
_DEAREST = 50
_COUNTED_ONE_BY_ONE = frozenset(
    {"address", "credentials", "credentials-address", "token"}
)


@dataclass(eq=False)
class RateLimitNotFound(NotFound):
    """The shop has no limit of this name."""


@dataclass(eq=False)
class TooManyRateLimits(Conflict):
    """The shop has as many limits of its own as it can have."""

    most: int


Tokens = Annotated[
    int,
    msgspec.Meta(ge=1, le=1_000_000_000, description="Units that flow in each period."),
]
Period = Annotated[int, msgspec.Meta(ge=1, le=31_536_000, description="In seconds.")]
Burst = Annotated[
    int, msgspec.Meta(ge=1, le=1_000_000_000, description="Units taken at once.")
]
PlanName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9][a-z0-9-]{0,46}$(?!\n)",
        description="Of a limit of your own: for whom, in place of the usual limits.",
    ),
]
ClientId = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=100,
        description="Of a limit of your own: for whoever calls by this OAuth client.",
    ),
]


class RateLimitWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How strict a limit is to be."""

    tokens: Tokens
    period_seconds: Period
    burst: Burst
    enabled: bool = True
    """Whether it is looked at."""
    shadow: bool = False
    """Whether it is counted and told in the metrics, and refuses nobody."""
    plan: PlanName | None = None
    client_id: ClientId | None = None


class RateLimitView(msgspec.Struct, frozen=True):
    """A limit, as it is now."""

    name: str
    applies_to: str
    plan: str | None
    client_id: str | None
    tokens: int
    period_seconds: int
    burst: int
    counted: Literal["process", "shop"]
    """By each process for itself, or by all together."""
    strict: bool
    """Guards credentials: stays as it is when Redis is gone."""
    enabled: bool
    shadow: bool
    built_in: bool
    changed_by: str | None
    """Who set it; nobody did if it is as the settings say."""
    changed_at: datetime | None

    @classmethod
    def of(cls, policy: Policy, said: Control | None) -> "RateLimitView":
        return cls(
            name=policy.name,
            applies_to=policy.applies_to,
            plan=policy.plan,
            client_id=policy.client_id,
            tokens=policy.rate.tokens,
            period_seconds=policy.rate.period_seconds,
            burst=policy.rate.burst,
            counted=policy.counted,
            strict=policy.strict,
            enabled=policy.enabled,
            shadow=policy.shadow,
            built_in=policy.name in NAMES,
            changed_by=None if said is None else said.updated_by,
            changed_at=None if said is None else said.updated_at,
        )


async def browse(shop: Shop) -> Listing[RateLimitView]:
    """List the limits: those that come with the shop, then your own by name."""
    said = await _said(shop)
    policies = shop.quotas.policies.by_name
    return Listing(
        [RateLimitView.of(p, said.get(p.name)) for p in policies.values()], None
    )


async def show(shop: Shop, name: str) -> RateLimitView:
    """One limit."""
    said = await _said(shop)
    return _view(shop, name, said.get(name))


async def put(
    shop: Shop, caller: Caller, origin: Origin, name: str, data: RateLimitWanted
) -> RateLimitView:
    """Change a limit, or make one for a plan or a client. It holds within a second.

    `enabled: false` switches it off, `shadow: true` counts and refuses nobody.
    """
    _check(shop, name, data)
    setting = Setting(
        tokens=data.tokens,
        period_seconds=data.period_seconds,
        burst=data.burst,
        enabled=data.enabled,
        shadow=data.shadow,
        plan=data.plan,
        client_id=data.client_id,
    )
    try:
        Rate(data.tokens, data.period_seconds, data.burst).quota(name)
    except ValueError as error:
        raise invalid("/tokens", str(error).partition(": ")[2].capitalize()) from None
    value = msgspec.to_builtins(setting)
    await _changes(shop).set(
        POLICY_CONTROL + name, value, actor=caller.actor, origin=origin
    )
    return await show(shop, name)


async def delete(shop: Shop, caller: Caller, origin: Origin, name: str) -> None:
    """Set a limit back to what the settings say; one of your own is gone."""
    cleared = await _changes(shop).clear(
        POLICY_CONTROL + name, actor=caller.actor, origin=origin
    )
    if not cleared and name not in NAMES:
        raise RateLimitNotFound
    await _said(shop)


async def _said(shop: Shop) -> dict[str, Control]:
    """What operators have said; this process knows it from now on."""
    await shop.controls.reread()
    size = len(POLICY_CONTROL)
    return {
        control.name[size:]: control
        for control in await controls.browse(shop.db)
        if control.name.startswith(POLICY_CONTROL)
    }


def _view(shop: Shop, name: str, said: Control | None) -> RateLimitView:
    policy = shop.quotas.policies.by_name.get(name)
    if policy is None:
        raise RateLimitNotFound
    return RateLimitView.of(policy, said)


def _check(shop: Shop, name: str, data: RateLimitWanted) -> None:
    policies = shop.quotas.policies
    built_in = policies.defaults.get(name)
    if built_in is not None:
        if data.plan is not None or data.client_id is not None:
            raise invalid("/plan", "For whom this limit is comes with the shop")
        if data.shadow and built_in.strict:
            raise invalid("/shadow", "Attempts at credentials are always counted")
    else:
        if _NAME.fullmatch(name) is None:
            raise invalid_parameter(
                "name", "Up to 48 lower-case letters, digits and hyphens"
            )
        if (data.plan is None) == (data.client_id is None):
            raise invalid("/plan", "Say plan or client_id, and one of them")
        own = policies.by_name.keys() - NAMES
        if name not in own and len(own) >= MOST_POLICIES:
            raise TooManyRateLimits(MOST_POLICIES)
    if data.burst < _DEAREST and name not in _COUNTED_ONE_BY_ONE:
        raise invalid("/burst", f"An operation costs up to {_DEAREST}")


def _changes(shop: Shop) -> ControlChanges:
    return ControlChanges(shop.db, shop.vault, shop.clock)
