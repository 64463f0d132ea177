"""The client that waits for an answer while a person signs in."""

from typing import NamedTuple
from urllib.parse import urlsplit

from holdfast.api import decoding
from holdfast.api.problems import InvalidRequest, MalformedRequest
from holdfast.api.shop import Shop
from holdfast.domain.oauth import AuthorizationError, AuthorizationRefused
from holdfast.workflows import authorization

_AUTHORIZE = "/oauth/authorize?"
_LONGEST_HINT = 254


class Waiting(NamedTuple):
    """Who asked, and where they are told the answer."""

    name: str
    redirect_uri: str
    login_hint: str
    """The address of whom they expect, or what anybody wrote in its place."""


async def client(shop: Shop, return_to: str) -> Waiting | None:
    """Who waits at *return_to*; None if nobody does, or the request is not valid.

    Only an address registered for the client is believed.
    """
    if not return_to.startswith(_AUTHORIZE):
        return None
    try:
        # Read as it will be read there: what is refused there names nobody here.
        parameters = decoding.read_query(urlsplit(return_to).query.encode())
        request = await authorization.read(
            shop.db, parameters, issuer=shop.settings.public_url
        )
    except (
        *(AuthorizationError, AuthorizationRefused),
        *(InvalidRequest, MalformedRequest),
    ):
        return None
    hint = request.login_hint or ""
    return Waiting(request.client.name, request.redirect_uri, hint[:_LONGEST_HINT])
