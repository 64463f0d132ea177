"""The second factor of whoever is signed in: set up, replaced, given up."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from litestar import Response

from holdfast.api.problems import MissingScope
from holdfast.api.shop import Shop
from holdfast.domain.identity import Caller, Member, Origin
from holdfast.workflows.second_factor import SecondFactors

# The answers hold secrets: nobody on the way may keep them.
_NO_STORE = {"Cache-Control": "no-store"}

Password = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
Code = Annotated[
    str, msgspec.Meta(max_length=100, description="Of the device, or a recovery code.")
]


class PasswordAgain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The current password."""

    password: Password


class FirstCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the device shows, now that it has the secret."""

    code: Annotated[str, msgspec.Meta(max_length=100)]


class PasswordAndCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Both of what signing in takes."""

    password: Password
    code: Code


class SecondFactorView(msgspec.Struct, frozen=True):
    """Whether signing in takes a code."""

    enabled: bool
    recovery_codes_left: int


class Secret(msgspec.Struct, frozen=True):
    """What the device needs; shown this once."""

    secret: str
    otpauth_uri: str
    """The same for a QR code."""


class RecoveryCodes(msgspec.Struct, frozen=True):
    """Each opens the account once, without the device; shown this once."""

    recovery_codes: list[str]


async def show(shop: Shop, caller: Caller) -> SecondFactorView:
    """Tell whether signing in takes a code."""
    state = await _factors(shop).state(_member(caller, "account:read").account_id)
    return SecondFactorView(state.enabled, state.recovery_codes_left)


async def begin(
    shop: Shop, caller: Caller, origin: Origin, data: PasswordAgain
) -> Response[Secret]:
    """Make a secret for a device. Nothing changes until its first code is confirmed."""
    member = _member(caller, "account:write")
    secret, uri = await _factors(shop).begin(
        member.account_id,
        data.password,
        session_id=member.session_id,
        origin=origin,
        issuer=urlsplit(shop.settings.public_url).netloc,
    )
    return Response(Secret(secret, uri), headers=_NO_STORE)


async def confirm(
    shop: Shop, caller: Caller, origin: Origin, data: FirstCode
) -> Response[RecoveryCodes]:
    """Ask for a code from now on; the answer holds the recovery codes, this once."""
    member = _member(caller, "account:write")
    codes = await _factors(shop).confirm(
        member.account_id, data.code, session_id=member.session_id, origin=origin
    )
    return Response(RecoveryCodes(codes), headers=_NO_STORE)


async def disable(
    shop: Shop, caller: Caller, origin: Origin, data: PasswordAndCode
) -> None:
    """Ask for the password alone from now on."""
    member = _member(caller, "account:write")
    await _factors(shop).disable(
        member.account_id,
        data.password,
        data.code,
        session_id=member.session_id,
        origin=origin,
    )


async def replace_recovery_codes(
    shop: Shop, caller: Caller, origin: Origin, data: PasswordAndCode
) -> Response[RecoveryCodes]:
    """Make ten new recovery codes; those before are good for nothing any more."""
    member = _member(caller, "account:write")
    codes = await _factors(shop).replace_recovery_codes(
        member.account_id,
        data.password,
        data.code,
        session_id=member.session_id,
        origin=origin,
    )
    return Response(RecoveryCodes(codes), headers=_NO_STORE)


def _factors(shop: Shop) -> SecondFactors:
    return SecondFactors(shop.db, shop.vault, shop.hasher, shop.clock)


def _member(caller: Caller, scope: str) -> Member:
    if not isinstance(caller, Member):
        raise MissingScope(scope)
    return caller
