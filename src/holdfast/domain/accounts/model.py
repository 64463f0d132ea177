"""Somebody who can sign in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

Status: TypeAlias = Literal["active", "disabled", "erased"]
STATUSES: tuple[Status, ...] = ("active", "disabled", "erased")


@dataclass(frozen=True, slots=True)
class Password:
    """The password of an account at some moment; by default, none."""

    phc: str | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account, without its secrets."""

    id: UUID
    status: Status
    # None once erased.
    email: str | None
    # None while nobody has followed a link that was sent there.
    email_verified_at: datetime | None
    has_password: bool
    # Whether a code is asked for after the password.
    second_factor: bool
    created_at: datetime
    updated_at: datetime

    @property
    def is_active(self) -> bool:
        return self.status == "active"
