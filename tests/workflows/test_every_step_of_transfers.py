"""A transfer killed at every step there is: its units are in one place, all of them."""

from contextlib import suppress

import pytest
from dying import DOING

from holdfast.domain import inventory
from holdfast.domain.inventory import TransferState
from holdfast.workflows.stock_locations import create_location
from holdfast.workflows.stock_transfers import Transfers, Units

PLENTY = 1_000

pytestmark = pytest.mark.slow


class TestTransfer:
    @pytest.fixture
    async def transfers(self, shop, clock, a_product):
        await a_product("TEA", on_hand=PLENTY)
        await create_location(
            shop.db, "north", "North", priority=5, address=None, clock=clock
        )
        return Transfers(shop.db, clock)

    @pytest.fixture
    def begun(self, transfers):
        """A transfer of three TEA to the north, sent where it has to be."""

        async def make(does):
            units = [Units("TEA", 3)]
            made = await transfers.create(
                "main", "north", units, reference="", actor="key:1"
            )
            if does != "dispatch":
                made = await transfers.dispatch(made.id, actor="key:1")
            return made

        return make

    @pytest.fixture
    def units(self, shop):
        """How many are in the main location, in the north, and on their way."""

        async def count(made):
            assert await inventory.drift(shop.db) == []
            there = {
                n.location: n.on_hand for n in await inventory.levels_of(shop.db, "TEA")
            }
            under_way = 0
            for one in made:
                found = await inventory.find_transfer(shop.db, one.id)
                if found.status == "in_transit":
                    under_way += sum(n.missing for n in found.lines)
            return there["main"], there.get("north", 0), under_way

        return count

    @pytest.mark.parametrize("does", ["dispatch", "receive", "cancel"])
    async def test_moves_all_of_its_units_or_none_and_loses_none(
        self, shop, dies, begun, units, does
    ):
        made = []
        for step in range(1, 100):
            made.append(await begun(does))
            told = {"transfer_id": str(made[-1].id), "does": does}
            killed = await dies("transfer", step, **told)
            assert sum(await units(made)) == PLENTY
            # Unless it is done, by whoever was killed.
            with suppress(TransferState):
                await DOING["transfer"](told, shop, shop.payments)
            if not killed:
                break

        assert step > 5
        moved = 3 * len(made)
        assert (
            await units(made)
            == {
                "dispatch": (PLENTY - moved, 0, moved),
                "receive": (PLENTY - moved, moved, 0),
                "cancel": (PLENTY, 0, 0),
            }[does]
        )
