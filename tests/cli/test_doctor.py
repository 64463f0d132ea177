"""The books of the stock against each other: what drifts is found, told and mended."""

import json

import pytest

from holdfast.domain import inventory
from holdfast.domain.inventory import MAIN, Wanted
from holdfast.kernel.ids import new_id


@pytest.fixture
def drifting(database):
    """Change a level behind its ledger, as nobody should be able to."""

    async def change(sql, *values):
        async with database.transaction() as tx:
            await tx.execute("ALTER TABLE stock DISABLE TRIGGER stock_follows_ledger")
            await tx.execute(sql, *values)
            await tx.execute("ALTER TABLE stock ENABLE TRIGGER stock_follows_ledger")

    return change


@pytest.fixture
def held(database, clock):
    """Reserve units, for nobody who is an order."""

    async def reserve(variant, units, **more):
        holder = new_id()
        async with database.transaction() as tx:
            wanted = [Wanted(variant, "TEA", units)]
            await inventory.reserve(tx, holder, wanted, at=clock(), **more)
        return holder

    return reserve


async def level(database, sku="TEA"):
    found = await inventory.find(database, sku)
    return found.on_hand, found.reserved


class TestDoctor:
    async def test_of_books_that_agree_says_so(self, holdfast, a_product):
        await a_product("TEA")

        said = await holdfast("doctor")

        assert (said.code, said.out) == (0, "The books agree.\n")

    @pytest.mark.parametrize("on_hand", [12, 7])
    async def test_mends_a_level_with_a_line_of_the_ledger(
        self, holdfast, database, a_product, drifting, on_hand
    ):
        tea = await a_product("TEA", on_hand=10)
        await drifting("UPDATE stock SET on_hand = $1", on_hand)

        found = await holdfast("doctor", "--json")
        fixed = await holdfast("doctor", "--fix", "--json")
        after = await holdfast("doctor")

        (finding,) = json.loads(found.out)["findings"]
        assert found.code == 1
        assert finding == {
            "kind": "ledger",
            "what": "TEA at main",
            "expected": 10,
            "found": on_hand,
            "fixed": False,
        }
        assert fixed.code == after.code == 0
        assert json.loads(fixed.out)["left"] == 0
        assert await level(database) == (on_hand, 0)
        page = await inventory.movements(database, tea, after=None, limit=5)
        newest = page.items[0]
        assert (newest.delta, newest.kind) == (on_hand - 10, "adjustment")
        assert newest.actor == "command_line"

    async def test_mends_what_is_reserved(
        self, holdfast, database, a_product, clock, held
    ):
        tea = await a_product("TEA", on_hand=10)
        await held(tea, 4, expires_at=clock())
        await database.fetch("UPDATE stock SET reserved = 9")

        found = await holdfast("doctor")
        fixed = await holdfast("doctor", "--fix")

        assert found.code == 1
        assert "TEA at main" in found.out
        assert fixed.code == 0
        assert "mended" in fixed.out
        assert await level(database) == (10, 4)

    async def test_frees_what_no_order_holds(self, holdfast, database, a_product, held):
        tea = await a_product("TEA", on_hand=10)
        await held(tea, 4)

        found = await holdfast("doctor", "--json")
        await holdfast("doctor", "--fix")

        (finding,) = json.loads(found.out)["findings"]
        assert (finding["kind"], finding["expected"], finding["found"]) == (
            *("order", 0),
            4,
        )
        assert "no order" in finding["what"]
        assert await level(database) == (10, 0)

    async def test_lets_a_line_say_what_its_shipments_do(self, holdfast, database, buy):
        bought = await buy()
        await database.fetch("UPDATE order_lines SET fulfilled_quantity = 1")

        found = await holdfast("doctor")
        fixed = json.loads((await holdfast("doctor", "--fix", "--json")).out)

        assert found.code == 1
        assert "a line does not say what its shipments" in found.out
        assert fixed["findings"][0] == {
            "kind": "line",
            "what": f"shipped of TEA-1, line 1 of {bought.order.label}",
            "expected": 0,
            "found": 1,
            "fixed": True,
        }

    async def test_tells_levels_of_their_location(self, holdfast, database, a_product):
        await a_product("TEA", on_hand=10)
        await database.fetch("UPDATE stock SET active = false")

        found = await holdfast("doctor", "--json")
        await holdfast("doctor", "--fix")

        assert json.loads(found.out)["findings"][0]["kind"] == "location"
        assert (await inventory.find(database, "TEA")).available == 10

    async def test_names_rules_of_the_database_that_are_not_in_force(
        self, holdfast, database, a_product
    ):
        await a_product("TEA", on_hand=10)
        await database.fetch("ALTER TABLE stock DROP CONSTRAINT stock_never_oversold")
        await database.fetch("ALTER TABLE stock DISABLE TRIGGER stock_follows_ledger")

        said = await holdfast("doctor", "--fix", "--json")

        findings = json.loads(said.out)["findings"]
        assert said.code == 1
        assert {n["what"] for n in findings} == {
            "stock_never_oversold",
            "stock_follows_ledger",
        }

    async def test_does_not_invent_units_that_are_promised_and_not_there(
        self, holdfast, database, a_product, clock, held, drifting
    ):
        tea = await a_product("TEA", on_hand=10)
        await held(tea, 4, expires_at=clock())
        await database.fetch("ALTER TABLE stock DROP CONSTRAINT stock_never_oversold")
        await drifting("UPDATE stock SET on_hand = 3")

        said = await holdfast("doctor", "--fix", "--json")

        assert said.code == 1
        assert await level(database) == (3, 4)

    async def test_mends_many_levels_without_touching_the_others(
        self, holdfast, database, a_product, drifting
    ):
        variants = [await a_product(sku, on_hand=10) for sku in ("A", "B", "C")]
        await drifting(
            "UPDATE stock SET on_hand = 4 WHERE variant_id = ANY($1)", variants[:2]
        )

        said = await holdfast("doctor", "--fix")

        assert said.code == 0
        counted = [
            len((await inventory.movements(database, v, after=None, limit=9)).items)
            for v in variants
        ]
        assert counted == [2, 2, 1]
        assert await inventory.drift(database) == []


class TestLocation:
    def test_main_is_the_one_of_the_migration(self):
        assert str(MAIN) == "01943a00-0000-7000-8000-000000000101"
