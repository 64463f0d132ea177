"""Make roles, and give them to accounts. Each change is in the security record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from holdfast.domain import accounts, identity
from holdfast.domain.identity import Caller, Origin, Role
from holdfast.kernel.clock import Clock
from holdfast.platform.db import Connection, Database, Transaction
from holdfast.platform.vault import Vault

_NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class Giver:
    """Who changes roles, and from where.

    Without a caller it is somebody with access to the server, who may give anything.
    """

    caller: Caller | None = None
    origin: Origin = _NOWHERE

    @property
    def actor(self) -> str:
        return identity.COMMAND_LINE if self.caller is None else self.caller.actor

    def demand(self, scopes: Iterable[str]) -> None:
        """Raise ``ScopeNotHeld`` unless they may give *scopes*."""
        if self.caller is not None:
            identity.check_held(self.caller, scopes)

    async def demand_over(self, connection: Connection, account_id: UUID) -> None:
        """Raise ``AccountMayMore`` if the account may do what they may not."""
        if self.caller is not None:
            await identity.check_over(connection, self.caller, account_id)


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change of a role; None leaves it as it is."""

    title: str | None = None
    description: str | None = None
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Roles:
    """Everything that can be done about roles."""

    db: Database
    vault: Vault
    clock: Clock

    async def create(
        self, name: str, title: str, description: str, scopes: Iterable[str], by: Giver
    ) -> Role:
        """Make a role.

        Raises ``RoleInvalid``, ``UnknownScopes``, ``ScopeNotHeld``, ``RoleNameTaken``.
        """
        wanted = frozenset(scopes)
        identity.check_role(name, title, description, wanted)
        by.demand(wanted)
        async with self.db.transaction() as tx:
            role = await identity.add_role(
                tx,
                name=name,
                title=title,
                description=description,
                scopes=wanted,
                at=self.clock(),
            )
            detail = {"role": name, "scopes": " ".join(role.scopes)}
            await self._record(tx, "role.created", by, detail)
        return role

    async def change(self, name: str, changes: Changes, by: Giver) -> Role:
        """Change a role; what it allows changes for all who have it within 5 s.

        Raises ``RoleNotFound``, ``RoleBuiltIn``, ``RoleInvalid``, ``UnknownScopes``,
        and ``ScopeNotHeld`` for scopes that are added without being held.
        """
        async with self.db.transaction() as tx:
            before = await identity.lock_role(tx, name)
            title = before.title if changes.title is None else changes.title
            description = (
                before.description
                if changes.description is None
                else changes.description
            )
            scopes = before.scopes if changes.scopes is None else changes.scopes
            identity.check_role(name, title, description, scopes)
            added = set(scopes) - set(before.scopes)
            by.demand(added)
            if (title, description, set(scopes)) == (
                *(before.title, before.description),
                set(before.scopes),
            ):
                return before
            role = await identity.change_role(
                *(tx, name),
                title=title,
                description=description,
                scopes=scopes,
                at=self.clock(),
            )
            detail = {
                "role": name,
                "added": " ".join(sorted(added)),
                "removed": " ".join(sorted(set(before.scopes) - set(scopes))),
            }
            await self._record(tx, "role.changed", by, detail)
        return role

    async def delete(self, name: str, by: Giver) -> None:
        """Delete a role that nobody has.

        Raises ``RoleNotFound``, ``RoleBuiltIn`` or ``RoleInUse``.
        """
        async with self.db.transaction() as tx:
            await identity.lock_role(tx, name)
            await identity.remove_role(tx, name)
            await self._record(tx, "role.deleted", by, {"role": name})

    async def grant(self, account_id: UUID, name: str, by: Giver) -> None:
        """Give an account a role; doing it again changes nothing.

        Raises ``AccountNotFound``, ``AccountErased``, ``RoleNotFound``, and
        ``ScopeNotHeld`` unless the giver holds all that the role allows.
        """
        async with self.db.transaction() as tx:
            account = await accounts.find(tx, self.vault, account_id)
            if account.status == "erased":
                raise accounts.AccountErased(account_id)
            role = await identity.find_role(tx, name)
            by.demand(role.scopes)
            if await identity.grant_role(
                tx, account_id, name, by=by.actor, at=self.clock()
            ):
                await self._record(tx, "role.granted", by, {"role": name}, account_id)

    async def revoke(self, account_id: UUID, name: str, by: Giver) -> None:
        """Take a role from an account; doing it again changes nothing.

        Raises ``AccountNotFound``, ``RoleNotFound``, ``AccountMayMore`` and
        ``LastAdmin``.
        """
        async with self.db.transaction() as tx:
            await accounts.find(tx, self.vault, account_id)
            await by.demand_over(tx, account_id)
            if await identity.revoke_role(tx, account_id, name):
                await self._record(tx, "role.revoked", by, {"role": name}, account_id)

    async def _record(
        self,
        tx: Transaction,
        kind: str,
        by: Giver,
        detail: Mapping[str, str | int],
        account_id: UUID | None = None,
    ) -> None:
        await identity.record(
            *(tx, self.vault, kind),
            actor=by.actor,
            origin=by.origin,
            at=self.clock(),
            account_id=account_id,
            detail=detail,
        )
