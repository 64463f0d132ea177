"""The token endpoint, and taking tokens back (RFC 6749 3.2, RFC 7009)."""

from typing import Any

from litestar import Response

from holdfast.api.oauth.protocol import (
    ClientRequest,
    Form,
    answer,
    credentials_in,
    needed,
    scopes_in,
)
from holdfast.api.shop import Shop
from holdfast.domain.identity import Origin
from holdfast.domain.oauth import RequestRefused
from holdfast.workflows.issuing import Issued
from holdfast.workflows.tokens import TokenDesk


async def token(shop: Shop, origin: Origin, request: ClientRequest) -> Response[bytes]:
    """Give tokens for an authorization code, a refresh token, or a client itself."""
    desk = desk_of(shop)

    async def work(form: Form) -> dict[str, Any]:
        credentials = credentials_in(request, form)
        match needed(form, "grant_type"):
            case "authorization_code":
                issued = await desk.redeem(
                    credentials,
                    code=needed(form, "code"),
                    redirect_uri=needed(form, "redirect_uri"),
                    verifier=needed(form, "code_verifier"),
                    origin=origin,
                )
            case "refresh_token":
                issued = await desk.refresh(
                    credentials,
                    token=needed(form, "refresh_token"),
                    scopes=scopes_in(form),
                    origin=origin,
                )
            case "client_credentials":
                issued = await desk.for_itself(credentials, scopes=scopes_in(form))
            case _:
                raise RequestRefused(
                    "unsupported_grant_type",
                    "Not authorization_code, refresh_token or client_credentials",
                )
        return _shown(issued)

    return await answer(shop, origin, request, work)


async def revoke(shop: Shop, origin: Origin, request: ClientRequest) -> Response[bytes]:
    """Take back an access token, or with a refresh token all that it stands for."""
    desk = desk_of(shop)

    async def work(form: Form) -> None:
        credentials = credentials_in(request, form)
        await desk.revoke(credentials, token=needed(form, "token"), origin=origin)

    return await answer(shop, origin, request, work)


def desk_of(shop: Shop) -> TokenDesk:
    """Where this shop's tokens come from."""
    issuer = shop.settings.public_url
    return TokenDesk(shop.db, shop.vault, shop.keyring, issuer, shop.clock)


def _shown(issued: Issued) -> dict[str, Any]:
    said = {
        "access_token": issued.access_token,
        "token_type": issued.token_type,
        "expires_in": issued.expires_in,
        "refresh_token": issued.refresh_token,
        "id_token": issued.id_token,
        "scope": issued.scope,
    }
    return {name: value for name, value in said.items() if value is not None}
