"""Credentials that were refused, written down: keys, secrets, the word of others.

Passwords and codes are elsewhere (``attempts``): those can be guessed, so each guess is
counted. What is here has 256 random bits, or is another site's to check; a refusal says
that somebody has what was good once, or that a program is set up wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from uuid import UUID

from holdfast.domain import identity
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault

Kind: TypeAlias = Literal["api_key.refused", "client.refused", "sign_in.failed"]


@dataclass(frozen=True, slots=True)
class Refused:
    """What was refused. Equal ones are the same thing, wherever they come from."""

    kind: Kind
    reason: str
    client_id: str | None = None
    detail: tuple[tuple[str, str], ...] = field(default=())

    @classmethod
    def api_key(cls, revoked: UUID | None) -> "Refused":
        """An API key that nobody was given, or one that was *revoked*."""
        if revoked is None:
            return cls("api_key.refused", "unknown")
        detail = (("key_id", str(revoked)),)
        return cls("api_key.refused", "revoked", detail=detail)

    @classmethod
    def client(cls, client_id: str) -> "Refused":
        """A client that there is, with another secret than its own, or none."""
        return cls("client.refused", "wrong_secret", client_id)

    @classmethod
    def outside(cls, issuer: str, reason: str) -> "Refused":
        """Somebody whom the word of an OpenID provider did not let in."""
        return cls(
            "sign_in.failed", reason, detail=(("method", "fed"), ("issuer", issuer))
        )


async def record(
    db: Database,
    vault: Vault,
    refused: Refused,
    *,
    unrecorded: int,
    origin: Origin,
    clock: Clock,
) -> None:
    """Write down that something was refused, and how often it was not written down."""
    detail: Mapping[str, str | int] = {
        "reason": refused.reason,
        **dict(refused.detail),
        **({"unrecorded": unrecorded} if unrecorded else {}),
    }
    async with db.transaction() as tx:
        await identity.record(
            *(tx, vault, refused.kind),
            actor="anonymous",
            origin=origin,
            at=clock(),
            client_id=refused.client_id,
            detail=detail,
        )
