"""Somebody to sign in to a new shop as, and the client that they sign in through."""

import secrets
from dataclasses import dataclass, replace
from typing import Literal

from holdfast.domain import accounts, identity, oauth
from holdfast.domain.accounts import Hasher
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.workflows.clients import CLIENT_SCOPES
from holdfast.workflows.roles import Giver
from holdfast.workflows.users import Users

EMAIL = "operator@holdfast.example"
CLIENT_ID = "holdfast"
_PASSWORD_BYTES = 15
_NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class FirstOperator:
    """How the operator signs in."""

    email: str
    outcome: Literal["created", "known", "changed"]
    """Made just now; there with the password that was kept; there with another."""
    password: str | None
    """The password that works; None if it is another than the one that was kept."""


def new_password(shortest: int = 0) -> str:
    """A password that nobody guesses: 20 characters, 120 bits, or as many as needed."""
    # Four characters are three bytes.
    return secrets.token_urlsafe(max(_PASSWORD_BYTES, -(-shortest * 3 // 4)))


async def see_to(
    db: Database,
    vault: Vault,
    hasher: Hasher,
    *,
    kept: str | None,
    shortest: int = 0,
    public_url: str,
    clock: Clock,
) -> FirstOperator:
    """Make the operator and the shop's own client, if they are not there yet.

    An operator that is there is left alone: *kept*, the password of an earlier start,
    is tried and never set again, as its owner may have chosen another. A new password
    has at least *shortest* characters.
    """
    await _see_to_client(db, vault, public_url, clock)
    account = await accounts.find_by_email(db, vault, EMAIL)
    if account is not None:
        phc = await accounts.password_of(db, vault, account.id)
        if kept is not None and await hasher.verify(phc, kept):
            return FirstOperator(EMAIL, "known", kept)
        return FirstOperator(EMAIL, "changed", None)
    password = kept or new_password(shortest)
    users = Users(db, vault, clock)
    made = await users.create(
        EMAIL, ["admin"], Giver(), password=await hasher.hash(password)
    )
    phc = await accounts.password_of(db, vault, made.id)
    if not await hasher.verify(phc, password):
        raise RuntimeError("The operator's password does not open the account.")
    return FirstOperator(EMAIL, "created", password)


async def _see_to_client(
    db: Database, vault: Vault, public_url: str, clock: Clock
) -> None:
    """The shop's own client, which may take passwords; at this address of the shop."""
    now = clock()
    wanted = oauth.Client(
        id=CLIENT_ID,
        name="Holdfast",
        kind="public",
        redirect_uris=(f"{public_url}/docs",),
        grant_types=("authorization_code", "refresh_token"),
        scopes=tuple(sorted(CLIENT_SCOPES)),
        first_party=True,
        created_at=now,
        updated_at=now,
        disabled_at=None,
    )
    async with db.transaction() as tx:
        try:
            known = await oauth.lock_client(tx, CLIENT_ID)
        except oauth.ClientNotFound:
            await oauth.add_client(tx, wanted, None)
            kind = "client.created"
        else:
            moved = replace(
                known, redirect_uris=wanted.redirect_uris, scopes=wanted.scopes
            )
            if moved == known:
                return
            await oauth.change_client(tx, replace(moved, updated_at=now))
            kind = "client.changed"
        await identity.record(
            tx,
            vault,
            kind,
            actor=identity.COMMAND_LINE,
            origin=_NOWHERE,
            at=now,
            client_id=CLIENT_ID,
        )
