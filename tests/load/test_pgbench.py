"""What pgbench is given: the shop's own statements, with values in place of ``$n``."""

import re

import pytest

from holdfast.cli.bench import pgbench


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
