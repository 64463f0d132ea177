"""What a client may know of the person it acts for (OpenID Connect Core 5.3).

Claims that nobody knows are left out. What is asked for by scope is told here and not
in the id token, which is kept and passed on.
"""

from typing import Any
from uuid import UUID

from holdfast.api.problems import CredentialsMissing, MissingScope
from holdfast.api.shop import Shop
from holdfast.domain import accounts, customers
from holdfast.domain.customers import Customer
from holdfast.domain.identity import Anonymous, Caller, Member


async def userinfo(shop: Shop, caller: Caller) -> dict[str, Any]:
    """Tell who the access token stands for, as far as its scopes go."""
    if isinstance(caller, Anonymous):
        raise CredentialsMissing
    if not isinstance(caller, Member) or "openid" not in caller.scopes:
        raise MissingScope("openid")
    said: dict[str, Any] = {"sub": str(caller.account_id)}
    if "email" in caller.scopes:
        account = await accounts.find(shop.db, shop.vault, caller.account_id)
        said["email"] = account.email
        said["email_verified"] = account.email_verified_at is not None
    if caller.scopes & {"profile", "phone"}:
        found = await customers.find_many(shop.db, shop.vault, [caller.account_id])
        said |= _profile(found.get(caller.account_id), caller)
    if "address" in caller.scopes:
        said["address"] = await _address(shop, caller.account_id)
    return {name: value for name, value in said.items() if value is not None}


def _profile(customer: Customer | None, caller: Member) -> dict[str, Any]:
    if customer is None:
        return {}
    said: dict[str, Any] = {}
    if "profile" in caller.scopes:
        names = filter(None, (customer.given_name, customer.family_name))
        said = {
            "name": " ".join(names) or None,
            "given_name": customer.given_name,
            "family_name": customer.family_name,
            "locale": customer.locale,
            "zoneinfo": customer.time_zone,
            "updated_at": int(customer.updated_at.timestamp()),
        }
    if "phone" in caller.scopes and customer.phone is not None:
        # Its form was checked; nobody called it.
        said |= {"phone_number": customer.phone, "phone_number_verified": False}
    return said


async def _address(shop: Shop, account_id: UUID) -> dict[str, str] | None:
    """Where parcels go by default, or else the address that was kept first."""
    kept = await customers.addresses_of(shop.db, shop.vault, account_id)
    if not kept:
        return None
    where = next((a for a in kept if a.default_shipping), kept[0]).address
    street = "\n".join(filter(None, (where.line1, where.line2)))
    said = {
        "street_address": street,
        "locality": where.city,
        "region": where.region,
        "postal_code": where.postal_code,
        "country": where.country,
    }
    return {name: value for name, value in said.items() if value is not None}
