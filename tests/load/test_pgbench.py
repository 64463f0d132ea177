"""What pgbench is given: the shop's own statements, with values in place of ``$n``."""

import re
from uuid import UUID

import pytest

from holdfast.cli.bench import pgbench

NIL = UUID(int=0)


class TestReading:
    @pytest.mark.parametrize(
        ("make", "table"),
        [
            (pgbench._product, "products"),
            (lambda: pgbench._page(NIL, None, None), "products"),
            (lambda: pgbench._page(NIL, "tea", NIL), "product_categories"),
            (lambda: pgbench._priced([NIL, NIL]), "prices_on_record"),
        ],
        ids=["product", "page", "category", "prices"],
    )
    def test_binds_the_statements_of_what_is_read_as_they_are_now(self, make, table):
        script = make()

        assert re.search(rf"FROM {table}\b", script)
        assert not re.search(r"\$\d", script)

    async def test_asks_what_a_search_asks(self, database, a_product):
        await a_product("OAK'S")

        script = await pgbench._searched(database, "title oak's")

        for table in ("search_words", "product_index", "prices_on_record"):
            assert re.search(rf"FROM {table}\b", script)
        assert not re.search(r"\$\d", script)
        for statement in script.split(";\n")[:-1]:
            await database.fetch(statement)

    def test_of_no_products_asks_no_prices(self):
        assert pgbench._priced([]) == ""


class TestOrder:
    def test_binds_the_statements_of_an_order_as_they_are_now(self):
        script = pgbench._order()

        for table in ("carts", "cart_lines", "orders", "order_lines", "reservations"):
            assert re.search(rf"INSERT INTO {table}\b", script)
        assert not re.search(r"\$\d", script)


class TestFilledIn:
    @pytest.mark.parametrize("values", [("1",), ("1", "2", "3")])
    def test_a_value_too_few_or_too_many_is_a_mistake(self, values):
        with pytest.raises(ValueError, match="for 2 parameters"):
            pgbench._filled_in("SELECT $1, $2, $1", *values)
