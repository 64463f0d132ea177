"""Personal data on request: everything held in one file, and erasing it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response

from holdfast.api.me import own_id
from holdfast.api.shop import Shop
from holdfast.domain import accounts, identity
from holdfast.domain.identity import Caller, Member, Origin
from holdfast.kernel.errors import Forbidden
from holdfast.workflows import passwords
from holdfast.workflows.personal_data import PersonalData

_RECENT = timedelta(minutes=10)
_ENCODER = msgspec.json.Encoder()

Archive = Annotated[Response[bytes], dict[str, Any]]


@dataclass(eq=False)
class RecentSignInNeeded(Forbidden):
    """This needs the password, or a sign-in of the last ten minutes."""


class ErasureWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Proof that it is you who wants to be erased."""

    password: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)] | None = None


async def export_own(shop: Shop, caller: Caller, origin: Origin) -> Archive:
    """Everything that is held about you, as one JSON file."""
    return await export(shop, caller, origin, own_id(caller))


async def export(
    shop: Shop, caller: Caller, origin: Origin, account_id: UUID
) -> Archive:
    """Everything that is held about a customer, as one JSON file; it is recorded."""
    await identity.check_over(shop.db, caller, account_id)
    archive = await _personal_data(shop).export(
        account_id, actor=caller.actor, origin=origin
    )
    name = f"personal-data-{account_id}.json"
    return Response(
        _ENCODER.encode(archive),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def erase_own(
    shop: Shop, caller: Caller, origin: Origin, data: ErasureWanted
) -> None:
    """Erase yourself. Your orders stay, without you; nothing brings you back.

    Takes your password; an account without one signs in again shortly before.
    """
    account_id = own_id(caller)
    await _prove(shop, caller, origin, data.password)
    await _personal_data(shop).erase(account_id, actor=caller.actor, origin=origin)


async def erase(shop: Shop, caller: Caller, origin: Origin, account_id: UUID) -> None:
    """Erase a customer. Their orders stay, without them; again changes nothing.

    Nobody erases whoever may do more than they; oneself is erased under `/v1/me`.
    """
    if isinstance(caller, Member) and caller.account_id == account_id:
        # Whoever runs the shop proves who they are like everybody else.
        raise RecentSignInNeeded
    await identity.check_over(shop.db, caller, account_id)
    await _personal_data(shop).erase(account_id, actor=caller.actor, origin=origin)


async def _prove(
    shop: Shop, caller: Caller, origin: Origin, password: str | None
) -> None:
    assert isinstance(caller, Member)  # noqa: S101 - own_id has seen to it
    if password is not None:
        await passwords.prove(
            shop.db,
            shop.vault,
            shop.hasher,
            caller.account_id,
            password,
            session_id=caller.session_id,
            origin=origin,
            clock=shop.clock,
        )
        return
    account = await accounts.find(shop.db, shop.vault, caller.account_id)
    session = await accounts.session(shop.db, shop.vault, caller.session_id)
    # Whoever has a password says it: a session that was left open is not enough.
    if account.has_password or session is None:
        raise RecentSignInNeeded
    if shop.clock() - session.authenticated_at > _RECENT:
        raise RecentSignInNeeded


def _personal_data(shop: Shop) -> PersonalData:
    return PersonalData(shop.db, shop.vault, shop.clock)
