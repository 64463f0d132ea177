"""Change a control of the running shop. Each change is in the security record."""

from dataclasses import dataclass
from typing import Any

import msgspec

from holdfast.domain import identity
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock
from holdfast.platform import controls
from holdfast.platform.db import Database, Transaction
from holdfast.platform.vault import Vault

_NOWHERE = Origin()
# The record is for people: enough to see what was said.
_LONGEST_SHOWN = 500


@dataclass(frozen=True, slots=True)
class ControlChanges:
    """Everything that can be done about controls."""

    db: Database
    vault: Vault
    clock: Clock

    async def set(
        self, name: str, value: Any, *, actor: str, origin: Origin = _NOWHERE
    ) -> None:
        """Set a control to a value that its owner has checked."""
        async with self.db.transaction() as tx:
            was = await controls.put(tx, name, value, by=actor, at=self.clock())
            detail = _change(name, was, value)
            await self._record(tx, detail, actor, origin)

    async def clear(self, name: str, *, actor: str, origin: Origin = _NOWHERE) -> bool:
        """Take a control back; False, and nothing recorded, if it was not set."""
        async with self.db.transaction() as tx:
            was = await controls.drop(tx, name)
            if was is not None:
                await self._record(tx, _change(name, was, None), actor, origin)
        return was is not None

    async def _record(
        self, tx: Transaction, detail: dict[str, str], actor: str, origin: Origin
    ) -> None:
        await identity.record(
            tx,
            self.vault,
            "protection.changed",
            actor=actor,
            origin=origin,
            at=self.clock(),
            detail=detail,
        )


def _change(name: str, was: Any, value: Any) -> dict[str, str]:
    return {"control": name, "from": _shown(was), "to": _shown(value)}


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()[:_LONGEST_SHOWN]
