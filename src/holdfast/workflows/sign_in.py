"""Find out who somebody is, by what they know and what they have."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Proved:
    """Somebody proved who they are."""

    account_id: UUID
    methods: tuple[str, ...]
    """How (RFC 8176): pwd, otp, mfa, fed."""
    authenticated_at: datetime
    place: str
    """To be kept where they signed in, and shown at the next sign-in."""


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """The password was right; a code is wanted too, together with *challenge*."""

    challenge: str
