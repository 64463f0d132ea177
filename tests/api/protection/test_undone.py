"""What the server undoes for another's sake is run again, and nobody is told of it."""

import pytest

PRICE = {"amount": 490, "currency": "EUR"}
TEA = {"title": "Tea", "variants": [{"sku": "TEA-NEW", "price": PRICE}]}


@pytest.fixture
def undo(database):
    """Have the server undo the first transaction that writes to a table."""

    async def once(table, code):
        async with database.transaction() as tx:
            # What a sequence gave is not taken back with a transaction.
            await tx.execute("CREATE SEQUENCE undone")
            await tx.execute(
                "CREATE FUNCTION undo_the_first() RETURNS trigger "
                "LANGUAGE plpgsql AS $$ BEGIN IF nextval('undone') = 1 THEN "
                f"RAISE EXCEPTION 'undone' USING ERRCODE = '{code}'; END IF; "
                "RETURN NEW; END $$"
            )
            await tx.execute(
                f"CREATE TRIGGER undone BEFORE INSERT ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION undo_the_first()"
            )

    return once


@pytest.mark.parametrize("code", ["40P01", "40001"], ids=["deadlock", "serialization"])
class TestUndone:
    async def test_checkout_places_its_order(self, a_bag, undo, database, code):
        bag = await a_bag(TEA=1)
        await undo("orders", code)

        assert (await bag.check_out()).status_code == 201
        assert await database.fetchval("SELECT last_value FROM undone") == 2

    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
    async def test_change_is_made(
        self, client, an_operator, undo, database, code, headers
    ):
        """With a key, too: what is undone is a part of the key's transaction."""
        operator = await an_operator("products:write")
        await undo("products", code)

        answer = await client.post(
            "/v1/products", json=TEA, headers={**operator, **headers}
        )

        assert answer.status_code == 201, answer.text
        assert await database.fetchval("SELECT last_value FROM undone") == 2
