"""The sites elsewhere with which somebody signs in, as they see them."""

from datetime import datetime
from typing import Annotated

import msgspec

from holdfast.api.problems import MissingScope
from holdfast.api.shop import Shop
from holdfast.domain import accounts
from holdfast.domain.identity import Caller, Member, Origin
from holdfast.workflows.outside_sign_in import OutsideSignIn

Issuer = Annotated[
    str, msgspec.Meta(max_length=2048, description="As the list says it")
]


class LinkedIdentityView(msgspec.Struct, frozen=True):
    """A site that opens the account; ``provider`` is None if it no longer may."""

    issuer: str
    provider: str | None
    title: str | None
    linked_at: datetime


class LinkedIdentitiesView(msgspec.Struct, frozen=True):
    """Every site that opens the account."""

    items: list[LinkedIdentityView]


async def browse(shop: Shop, caller: Caller) -> LinkedIdentitiesView:
    """The OpenID providers that open one's account."""
    known = {provider.issuer: provider for provider in shop.openid.values()}
    linked = await accounts.linked_identities_of(shop.db, _member(caller).account_id)
    views = []
    for each in linked:
        provider = known.get(each.issuer)
        name, title = (provider.id, provider.title) if provider else (None, None)
        views.append(LinkedIdentityView(each.issuer, name, title, each.linked_at))
    return LinkedIdentitiesView(views)


async def unlink(shop: Shop, caller: Caller, origin: Origin, issuer: Issuer) -> None:
    """Let a provider open one's account no longer.

    Whoever has no password can choose one by way of their e-mail address.
    """
    doors = OutsideSignIn(shop.db, shop.vault, shop.openid, shop.clock)
    await doors.unlink(_member(caller).account_id, issuer, origin=origin)


def _member(caller: Caller) -> Member:
    if not isinstance(caller, Member):
        raise MissingScope("account:read")
    return caller
