"""A change of a control is in the security record, and one that was none is not."""

from holdfast.domain import identity
from holdfast.domain.identity import Origin
from holdfast.kernel.clock import Clock
from holdfast.platform import controls
from holdfast.platform.db import Database
from holdfast.platform.vault import Vault
from holdfast.workflows.controls import ControlChanges


class TestControlChanges:
    async def test_what_was_set_and_by_whom_is_recorded(
        self, database: Database, vault: Vault, clock: Clock
    ) -> None:
        changes = ControlChanges(database, vault, clock)
        origin = Origin("192.0.2.7", "curl", "request-1")
        await changes.set("load.level", {"forced": 2}, actor="key:1", origin=origin)
        await changes.clear("load.level", actor="key:1", origin=origin)

        assert await controls.browse(database) == []
        page = await identity.events(database, vault, after=None, limit=10)
        assert [(e.kind, e.actor, e.detail) for e in page.items] == [
            (
                "protection.changed",
                "key:1",
                {"control": "load.level", "from": '{"forced":2}', "to": "null"},
            ),
            (
                "protection.changed",
                "key:1",
                {"control": "load.level", "from": "null", "to": '{"forced":2}'},
            ),
        ]

    async def test_taking_back_what_was_not_set_is_no_change(
        self, database: Database, vault: Vault, clock: Clock
    ) -> None:
        assert not await ControlChanges(database, vault, clock).clear(
            "x", actor="key:1"
        )
        page = await identity.events(database, vault, after=None, limit=10)
        assert page.items == []
