"""The client that waits for an answer while a person signs in."""

from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from holdfast.api.shop import Shop
from holdfast.domain.oauth import AuthorizationError, AuthorizationRefused
from holdfast.workflows import authorization

_AUTHORIZE = "/oauth/authorize?"


class Waiting(NamedTuple):
    """Who asked, and where they are told the answer."""

    name: str
    redirect_uri: str


async def client(shop: Shop, return_to: str) -> Waiting | None:
    """Who waits at *return_to*; None if nobody does, or the request is not valid.

    Only an address registered for the client is believed.
    """
    if not return_to.startswith(_AUTHORIZE):
        return None
    params = dict(parse_qsl(urlsplit(return_to).query, keep_blank_values=True))
    try:
        request = await authorization.read(
            shop.db, params, issuer=shop.settings.public_url
        )
    except (AuthorizationError, AuthorizationRefused):
        return None
    return Waiting(request.client.name, request.redirect_uri)
