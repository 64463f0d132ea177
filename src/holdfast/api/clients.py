"""OAuth clients as operators register them, and what people allowed them."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response

from holdfast.api.listing import After, Limit, Listing, listing
from holdfast.api.shop import Shop
from holdfast.domain import oauth
from holdfast.domain.identity import Caller, Member, Origin
from holdfast.domain.oauth import Client, Consent, GrantType, Kind
from holdfast.kernel.page import DEFAULT_LIMIT
from holdfast.workflows import clients as workflows
from holdfast.workflows.clients import CLIENT_SCOPES, Changes, Registration

_PATH = "/v1/clients"

Name = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=200, description="Shown to people who sign in."
    ),
]
RedirectUris = Annotated[
    list[str],
    msgspec.Meta(
        max_length=20,
        description="Where browsers may be sent, letter by letter the same: https, "
        "http on this machine, for public clients a scheme of their own with a dot.",
    ),
]
GrantTypes = Annotated[list[GrantType], msgspec.Meta(min_length=1, max_length=3)]
Scopes = Annotated[
    list[str],
    msgspec.Meta(
        min_length=1,
        max_length=100,
        description="Of: " + ", ".join(sorted(CLIENT_SCOPES)),
    ),
]
FirstParty = Annotated[
    bool,
    msgspec.Meta(
        description="The shop's own: people are not asked for consent, and it may "
        "take their passwords."
    ),
]


class NewClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An application that is to sign people in, or to act for itself."""

    name: Name
    kind: Annotated[
        Kind,
        msgspec.Meta(
            description="`public` if it runs where others can look into it: on a "
            "phone, in a browser. It gets no secret. Never changes."
        ),
    ]
    grant_types: GrantTypes
    scopes: Scopes
    redirect_uris: RedirectUris = []
    first_party: FirstParty = False


class ClientChanges(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a client; what is absent stays as it is."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    redirect_uris: RedirectUris | msgspec.UnsetType = msgspec.UNSET
    grant_types: GrantTypes | msgspec.UnsetType = msgspec.UNSET
    scopes: Scopes | msgspec.UnsetType = msgspec.UNSET
    first_party: FirstParty | msgspec.UnsetType = msgspec.UNSET

    @property
    def changes(self) -> Changes:
        uris, grants, scopes = self.redirect_uris, self.grant_types, self.scopes
        return Changes(
            name=None if self.name is msgspec.UNSET else self.name,
            redirect_uris=None if uris is msgspec.UNSET else tuple(uris),
            grant_types=None if grants is msgspec.UNSET else tuple(grants),
            scopes=None if scopes is msgspec.UNSET else tuple(scopes),
            first_party=None if self.first_party is msgspec.UNSET else self.first_party,
        )


class ClientWithSecret(msgspec.Struct, frozen=True):
    """A client, and the secret that is shown this once; null for a public one."""

    id: str
    name: str
    kind: Kind
    redirect_uris: tuple[str, ...]
    grant_types: tuple[GrantType, ...]
    scopes: tuple[str, ...]
    first_party: bool
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None
    secret: str | None


async def browse(
    shop: Shop, limit: Limit = DEFAULT_LIMIT, after: After | None = None
) -> Response[Listing[Client]]:
    """List the OAuth clients, newest first, disabled ones included."""
    page = await oauth.browse_clients(shop.db, after=after, limit=limit)
    return listing(page, _PATH, limit=limit)


async def create(
    shop: Shop, caller: Caller, origin: Origin, data: NewClient
) -> ClientWithSecret:
    """Register a client. Its secret is in the answer, and never shown again."""
    client, secret = await workflows.create(
        shop.db,
        shop.vault,
        Registration(
            name=data.name,
            kind=data.kind,
            redirect_uris=tuple(data.redirect_uris),
            grant_types=tuple(data.grant_types),
            scopes=tuple(data.scopes),
            first_party=data.first_party,
        ),
        giver=caller,
        origin=origin,
        clock=shop.clock,
    )
    return _with_secret(client, secret)


async def show(shop: Shop, client_id: str) -> Client:
    """Show an OAuth client."""
    return await oauth.find_client(shop.db, client_id)


async def change(
    shop: Shop, caller: Caller, origin: Origin, client_id: str, data: ClientChanges
) -> Client:
    """Change a client. That takes every scope it has, and every one it is to have."""
    return await workflows.change(
        shop.db,
        shop.vault,
        client_id,
        data.changes,
        giver=caller,
        origin=origin,
        clock=shop.clock,
    )


async def disable(shop: Shop, caller: Caller, origin: Origin, client_id: str) -> None:
    """Take a client out of use for good. Its tokens end after five seconds at most."""
    await workflows.disable(
        shop.db,
        shop.vault,
        client_id,
        actor=caller.actor,
        origin=origin,
        clock=shop.clock,
    )


async def rotate_secret(
    shop: Shop, caller: Caller, origin: Origin, client_id: str
) -> ClientWithSecret:
    """Give a client another secret, shown this once. The old one ends at once."""
    client, secret = await workflows.rotate_secret(
        shop.db,
        shop.vault,
        client_id,
        giver=caller,
        origin=origin,
        clock=shop.clock,
    )
    return _with_secret(client, secret)


async def consents(shop: Shop, caller: Caller) -> Listing[Consent]:
    """List the clients that you allowed something, latest first."""
    return Listing(await oauth.consents_of(shop.db, _me(caller).account_id), None)


async def revoke_consent(
    shop: Shop, caller: Caller, origin: Origin, client_id: str
) -> None:
    """Take back what you allowed a client. It is signed out."""
    await workflows.revoke_consent(
        shop.db,
        shop.vault,
        _me(caller).account_id,
        client_id,
        origin=origin,
        clock=shop.clock,
    )


def _me(caller: Caller) -> Member:
    # The route's scope is one that nobody else can hold.
    if not isinstance(caller, Member):
        raise TypeError(f"{caller.actor} is nobody who signed in")
    return caller


def _with_secret(client: Client, secret: str | None) -> ClientWithSecret:
    return ClientWithSecret(
        id=client.id,
        name=client.name,
        kind=client.kind,
        redirect_uris=client.redirect_uris,
        grant_types=client.grant_types,
        scopes=client.scopes,
        first_party=client.first_party,
        created_at=client.created_at,
        updated_at=client.updated_at,
        disabled_at=client.disabled_at,
        secret=secret,
    )
