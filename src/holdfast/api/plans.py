"""Plans: who has other limits than callers of their kind."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from holdfast.api.listing import Listing
from holdfast.api.protection.policies import PLAN_CONTROL
from holdfast.api.shop import Shop
from holdfast.domain import identity, oauth
from holdfast.domain.identity import Caller, Origin
from holdfast.kernel.errors import NotFound
from holdfast.workflows.controls import ControlChanges


@dataclass(eq=False)
class PlanNotFound(NotFound):
    """No limit of the shop is for a plan of this name."""


class PlanView(msgspec.Struct, frozen=True):
    """A plan: the limits it has in place of the usual ones, and who is on it."""

    plan: str
    limits: list[str]
    clients: list[str]
    """Ids of OAuth clients, for what they do on their own behalf."""
    keys: list[str]
    """Ids of API keys."""


async def browse(shop: Shop) -> Listing[PlanView]:
    """List the plans, by name. A plan is there as long as a limit names it."""
    await shop.controls.reread()
    policies = shop.quotas.policies
    holders = sorted(policies.holders.items())
    return Listing(
        [
            PlanView(
                plan=plan,
                limits=sorted(limits),
                clients=_of_kind("client.", plan, holders),
                keys=_of_kind("key.", plan, holders),
            )
            for plan, limits in sorted(policies.plans.items())
        ],
        None,
    )


async def put_client(
    shop: Shop, caller: Caller, origin: Origin, plan: str, client_id: str
) -> None:
    """Put an OAuth client on a plan; it leaves the one it was on."""
    await oauth.find_client(shop.db, client_id)
    await _put(shop, caller, origin, plan, f"client.{client_id}")


async def put_key(
    shop: Shop, caller: Caller, origin: Origin, plan: str, key_id: UUID
) -> None:
    """Put an API key on a plan; it leaves the one it was on."""
    await identity.find_key(shop.db, key_id)
    await _put(shop, caller, origin, plan, f"key.{key_id}")


async def drop_client(
    shop: Shop, caller: Caller, origin: Origin, plan: str, client_id: str
) -> None:
    """Take an OAuth client off a plan: it has the usual limits again."""
    await oauth.find_client(shop.db, client_id)
    await _drop(shop, caller, origin, plan, f"client.{client_id}")


async def drop_key(
    shop: Shop, caller: Caller, origin: Origin, plan: str, key_id: UUID
) -> None:
    """Take an API key off a plan: it has the usual limits again."""
    await identity.find_key(shop.db, key_id)
    await _drop(shop, caller, origin, plan, f"key.{key_id}")


async def _put(
    shop: Shop, caller: Caller, origin: Origin, plan: str, holder: str
) -> None:
    await shop.controls.reread()
    if plan not in shop.quotas.policies.plans:
        raise PlanNotFound
    await _changes(shop).set(
        PLAN_CONTROL + holder, {"plan": plan}, actor=caller.actor, origin=origin
    )
    await shop.controls.reread()


async def _drop(
    shop: Shop, caller: Caller, origin: Origin, plan: str, holder: str
) -> None:
    await shop.controls.reread()
    if shop.quotas.policies.holders.get(holder) != plan:
        return
    await _changes(shop).clear(PLAN_CONTROL + holder, actor=caller.actor, origin=origin)
    await shop.controls.reread()


def _of_kind(kind: str, plan: str, holders: list[tuple[str, str]]) -> list[str]:
    return [
        holder.removeprefix(kind)
        for holder, on in holders
        if on == plan and holder.startswith(kind)
    ]


def _changes(shop: Shop) -> ControlChanges:
    return ControlChanges(shop.db, shop.vault, shop.clock)
